"""The reference is kept for runs that would take the same: which take it, which do not, and that no byte changes."""

import json
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from tiny import CHATML, SINKS, save_model
from tunewright.core.example import Example, ask, make_example
from tunewright.models.base import Base, resolve_base
from tunewright.models.load import load_model
from tunewright.models.template import Renderer
from tunewright.train import reference, reference_store, weights
from tunewright.train.checkpoint import WorkFolder
from tunewright.train.defaults import Facts, settle
from tunewright.train.loop import Loop
from tunewright.train.lora import add_adapter
from tunewright.train.methods import find_method
from tunewright.train.pack import Batch
from tunewright.train.plan import make_plan
from tunewright.train.policy import Policy
from tunewright.train.reference_store import Kept, arithmetic
from tunewright.train.run import train
from tunewright.train.spec import TrainSpec

SYSTEM = "Please answer."
COMMON = {
    "method": "dpo", "epochs": 2, "batch_tokens": 256, "learning_rate": 1e-2, "precision": "fp32",
    "adapter": {"rank": 4},
}  # fmt: skip
FACTS = Facts(examples=20, tokens=900, steps=(1, 1, 1, 1), trained=80, width=32)
WRITTEN = ("adapter/adapter_model.safetensors", "history.json", "train.json")


def examples(method: str = "dpo", count: int = 24) -> list[Example]:
    talks = [ask(f"Is {i} red?", "yes" if i % 3 else "it is") for i in range(count)]
    if method == "kto":
        return [make_example(talk, desirable=place % 2 == 0) for place, talk in enumerate(talks)]
    return [make_example(talk, rejected="no") for talk in talks]


def run(
    folder: Path,
    base: Base,
    references: Path | None,
    system: str = SYSTEM,
    count: int = 24,
    **settings: Any,
) -> dict[str, Any]:
    """What the run told of its reference, and the bytes it wrote."""
    spec = TrainSpec.model_validate({**COMMON, **settings})
    rows, told = examples(spec.method, count), list[tuple[str, dict[str, Any]]]()
    (folder / "out").mkdir(parents=True)
    train(
        spec, rows[2:-2], [*rows[:2], *rows[-2:]], base=base, system=system, work=folder / "work", out=folder / "out",
        threads=1, references=references, emit=lambda kind, **data: told.append((kind, data)),
    )  # fmt: skip
    counted = [data["total"] for kind, data in told if kind == "train.reference"]
    recalled = [data for kind, data in told if kind == "train.recalled"]
    written = {
        name: (folder / "out" / name).read_bytes() for name in WRITTEN if (folder / "out" / name).exists()
    }
    return {"read": counted, "recalled": recalled, "written": written}


TAKEN = {
    "read": [],
    "recalled": [{"rows": 24, "words": "reference log-probs taken from the store (24 rows)"}],
}
ANEW = {"read": [24], "recalled": []}


def told(seen: dict[str, Any]) -> dict[str, Any]:
    return {name: seen[name] for name in ("read", "recalled")}


@pytest.fixture(scope="module")
def kept(tiny_base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a dpo and a kto run took."""
    folder = tmp_path_factory.mktemp("kept")
    for method in ("dpo", "kto"):
        assert told(run(folder / method, tiny_base, folder / "references", method=method)) == ANEW
    assert len(list((folder / "references").iterdir())) == 2
    return folder / "references"


@pytest.fixture
def some(kept: Path, tmp_path: Path) -> Path:
    """A copy of it that may be changed."""
    folder = tmp_path / "references"
    folder.mkdir()
    for path in kept.iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    return folder


@pytest.mark.parametrize(
    "changed",
    [
        {"learning_rate": 3e-2},
        {"dpo": {"beta": 0.7, "loss": "ipo", "nll": 0.3}},
        {"adapter": {"kind": "rslora", "rank": 9, "alpha": 3.0, "dropout": 0.2, "b_rate": 4}, "seed": 7},
        {"epochs": 1, "batch_tokens": 64, "neftune": 5.0, "gradient_checkpointing": True, "keep": 2},
        {"max_length": 333, "over_long": "cut"},
        {"method": "kto", "learning_rate": 3e-2, "kto": {"beta": 0.7, "desirable_weight": 2}},
    ],
)
def test_settings_that_do_not_touch_the_base_take_what_is_kept(
    changed: dict[str, Any], kept: Path, tiny_base: Base, tmp_path: Path
) -> None:
    seen = run(tmp_path / "kept", tiny_base, kept, **changed)
    alone = run(tmp_path / "alone", tiny_base, None, **changed)
    assert told(seen) == TAKEN
    assert told(alone) == ANEW
    assert seen["written"] == alone["written"]


@pytest.mark.parametrize(
    ("rows", "changed"),
    [
        (23, {"count": 23}),
        (24, {"system": "Please say."}),
        (24, {"precision": "bf16"}),
        (24, {"adapter": {"rank": 4, "targets": ["q_proj", "v_proj"]}}),
        (24, {"adapter": {"rank": 4, "new_words": ["Velora"]}}),
        (24, {"adapter": {"rank": 4, "kind": "pissa"}}),
        (24, {"adapter": {"kind": "full"}, "learning_rate": 1e-3}),
    ],
)
def test_what_touches_the_numbers_takes_them_anew(
    rows: int, changed: dict[str, Any], some: Path, tiny_base: Base, tmp_path: Path
) -> None:
    before = {path.name for path in some.iterdir()}
    assert told(run(tmp_path / "run", tiny_base, some, **changed)) == {"read": [rows], "recalled": []}
    assert len({path.name for path in some.iterdir()} - before) == 1


def test_the_same_base_elsewhere_takes_what_is_kept(kept: Path, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "base")
    assert told(run(tmp_path / "run", resolve_base(str(folder), folder), kept)) == TAKEN


def test_another_template_takes_them_anew(some: Path, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "base", template=CHATML + "{# other words, the same tokens #}")
    assert told(run(tmp_path / "run", resolve_base(str(folder), folder), some)) == ANEW


def test_other_weights_take_them_anew(some: Path, tmp_path: Path) -> None:
    folder = save_model(tmp_path / "base")
    tensors = load_file(folder / "model.safetensors")
    tensors["model.norm.weight"] += 0.01
    save_file(tensors, folder / "model.safetensors", metadata={"format": "pt"})
    assert told(run(tmp_path / "run", resolve_base(str(folder), folder), some)) == ANEW


@pytest.mark.parametrize(
    "adapter",
    [
        {"kind": "dora", "rank": 4},
        {"kind": "pissa", "rank": 4},
        {"kind": "full"},
        {"rank": 4, "new_words": ["Velora"]},
        {"kind": "qlora", "rank": 4},
    ],
    ids=lambda adapter: adapter.get("kind", "new words"),
)
def test_each_kind_of_adapter_has_its_own(adapter: dict[str, Any], tiny_base: Base, tmp_path: Path) -> None:
    """Whatever it makes of the base, another rate takes what it took, and ends in the same bytes as without."""
    if adapter.get("kind") == "qlora" and find_spec("bitsandbytes") is None:
        pytest.skip("needs bitsandbytes")
    store = tmp_path / "references"
    assert told(run(tmp_path / "first", tiny_base, store, adapter=adapter, learning_rate=1e-3)) == ANEW
    seen = run(tmp_path / "second", tiny_base, store, adapter=adapter, learning_rate=2e-3)
    alone = run(tmp_path / "alone", tiny_base, None, adapter=adapter, learning_rate=2e-3)
    assert told(seen) == TAKEN
    assert seen["written"] == alone["written"]


def test_rows_that_cannot_be_packed_are_kept_too(tmp_path: Path) -> None:
    folder = save_model(tmp_path / "base", "gpt_oss", **SINKS)
    base, store = resolve_base(str(folder), folder), tmp_path / "references"
    assert told(run(tmp_path / "first", base, store)) == ANEW
    seen = run(tmp_path / "second", base, store, learning_rate=3e-2)
    assert told(seen) == TAKEN
    assert seen["written"] == run(tmp_path / "alone", base, None, learning_rate=3e-2)["written"]


def test_in_bf16_a_plain_adapter_adds_exact_zeros_too(tiny_base: Base, tmp_path: Path) -> None:
    store = tmp_path / "references"
    assert told(run(tmp_path / "first", tiny_base, store, precision="bf16")) == ANEW
    changed = {"precision": "bf16", "adapter": {"rank": 9, "alpha": 3.0}, "seed": 7}
    seen = run(tmp_path / "second", tiny_base, store, **changed)
    assert told(seen) == TAKEN
    assert seen["written"] == run(tmp_path / "alone", tiny_base, None, **changed)["written"]


def how(adapter: dict[str, Any], precision: str = "fp32", threads: int = 1, **settings: Any) -> str:
    spec, _ = settle(TrainSpec.model_validate({**COMMON, "adapter": adapter, **settings}), FACTS)
    return json.dumps(arithmetic(spec, torch.device("cpu"), precision, threads))


def test_pissa_begins_by_rank_scale_and_seed() -> None:
    plain = {"kind": "pissa", "rank": 4}
    ways = [
        how(plain), how(plain, seed=1), how({**plain, "rank": 5}), how({**plain, "alpha": 3}),
        how({**plain, "rslora": True}), how(plain, compile=True), how(plain, "bf16"), how(plain, threads=2),
        how({"kind": "lora", "rank": 4}), how({"kind": "qlora", "rank": 4}), how({"kind": "dora", "rank": 4}),
    ]  # fmt: skip
    assert len(set(ways)) == len(ways)
    assert how(plain) == how(plain, learning_rate=1.0, dpo={"beta": 3.0}, epochs=9)


def torn(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-3])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-5] ^= 1
    path.write_bytes(data)


def empty(path: Path) -> None:
    path.write_bytes(b"")


def foreign(path: Path) -> None:
    """Whole, of as many rows, and of another origin."""
    strange = Kept(path.parent, ["other"], 48)
    strange.save([-1.5] * 48)
    strange._path.replace(path)


def no_file(path: Path) -> None:
    path.unlink()
    path.mkdir()


def forged(path: Path) -> None:
    """Whole, by its own name, with other numbers: what a machine would leave that rounds otherwise."""
    found = Kept(path.parent, [], 0)
    found._path, found._key = path, path.name
    found.save([value + 1e-6 for value in found._read(48)])


@pytest.mark.parametrize("harm", [torn, flipped, empty, foreign, forged, no_file])
def test_what_is_damaged_is_taken_anew_and_mended(
    harm: Any, some: Path, tiny_base: Base, tmp_path: Path
) -> None:
    pairs = next(path for path in some.iterdir() if path.stat().st_size == 32 + 8 * 48)
    whole = pairs.read_bytes()
    harm(pairs)
    seen = run(tmp_path / "run", tiny_base, some, learning_rate=3e-2)
    alone = run(tmp_path / "alone", tiny_base, None, learning_rate=3e-2)
    assert told(seen) == ANEW
    assert seen["written"] == alone["written"]
    if harm is not no_file:
        assert pairs.read_bytes() == whole


def test_a_store_that_cannot_be_written_stops_no_run(tiny_base: Base, tmp_path: Path) -> None:
    (tmp_path / "references").write_text("a file where the folder should be")
    assert told(run(tmp_path / "run", tiny_base, tmp_path / "references")) == ANEW
    assert (tmp_path / "references").read_text() == "a file where the folder should be"


def test_many_at_once_never_read_half_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """They write and read the same few files, and the store is so small that each drops what another wrote."""
    monkeypatch.setattr(reference_store, "_MOST", 2 * (32 + 8 * 5_000))

    def at_work(turn: int) -> bool:
        name = turn % 3
        Kept(tmp_path, [name], 5_000).save([float(name)] * 5_000)
        return Kept(tmp_path, [name], 5_000).values in (None, [float(name)] * 5_000)

    with ThreadPoolExecutor(8) as pool:
        assert all(pool.map(at_work, range(200)))
    sizes = [path.stat().st_size for path in tmp_path.iterdir()]
    assert sizes == [32 + 8 * 5_000] * len(sizes)
    assert 0 < len(sizes) <= 3


def test_of_too_much_the_least_lately_used_goes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reference_store, "_MOST", 3 * (32 + 8 * 10))
    for name in range(3):
        Kept(tmp_path, [name], 10).save([float(name)] * 10)
    assert Kept(tmp_path, [0], 10).values == [0.0] * 10  # used now
    Kept(tmp_path, [3], 10).save([3.0] * 10)
    assert [Kept(tmp_path, [name], 10).values for name in range(4)] == [
        [0.0] * 10,
        None,
        [2.0] * 10,
        [3.0] * 10,
    ]
    Kept(tmp_path, [4], 99).save([4.0] * 99)  # larger than all may be
    assert [path.name for path in tmp_path.iterdir()] == [Kept(tmp_path, [4], 99)._path.name]


def test_in_many_batches_the_smallest_is_read_anew(
    tiny_base: Base, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reference, "_TOKENS", 100)
    store = tmp_path / "references"
    assert len(run(tmp_path / "first", tiny_base, store)["read"]) > 3
    seen = run(tmp_path / "second", tiny_base, store, learning_rate=3e-2)
    alone = run(tmp_path / "alone", tiny_base, None, learning_rate=3e-2)
    assert told(seen) == TAKEN
    assert seen["written"] == alone["written"]
    monkeypatch.undo()
    assert told(run(tmp_path / "larger", tiny_base, store)) == ANEW  # other batches round otherwise


@pytest.mark.parametrize("known", [False, True])
def test_a_look_ahead_counts_no_reading_of_what_is_kept(
    known: bool, tiny_base: Base, tiny_renderer: Renderer, tmp_path: Path
) -> None:
    class Counting(Policy):
        read = 0

        def still_logprobs(self, batch: Batch) -> torch.Tensor:
            self.read += 1
            return super().still_logprobs(batch)

    spec, _ = settle(TrainSpec.model_validate({**COMMON, "epochs": 60, "batch_tokens": 64}), FACTS)
    method, model = find_method("dpo"), load_model(tiny_base, device="cpu")
    trees = method.trees(examples(count=8), tiny_renderer)
    policy = Counting(add_adapter(model, spec.adapter, tiny_base, 0), trees)
    loop = Loop(policy, weights.trained(policy.model), method, spec, make_plan(trees, trees, spec, 0))
    seen: list[str] = []
    loop.look_ahead(
        trees, trees, WorkFolder(tmp_path, "", 1), lambda kind, **_: seen.append(kind), known=known
    )
    assert seen == ["train.preflight"]
    assert (policy.read == 0) is known
