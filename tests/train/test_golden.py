"""Golden losses: two real steps of every method, and of every kind of adapter, give the losses they always gave.

A change here is a change of what users train: know why before `PYTHONPATH=tests python tests/train/test_golden.py`
writes them anew.
"""

import json
from pathlib import Path

import pytest

from tiny import save_model
from tunewright.core.example import Example, ask, make_document, make_example
from tunewright.models.base import Base, resolve_base
from tunewright.train.run import train
from tunewright.train.spec import TrainSpec

GOLDEN = Path(__file__).with_name("golden.json")
LOSSES = ("sigmoid", "hinge", "ipo", "robust", "simpo")
SETTINGS = {
    "sft": {},
    "cpt": {"method": "cpt"},
    "orpo": {"method": "orpo"},
    "kto": {"method": "kto"},
    "dpo": {"method": "dpo"},
    **{f"dpo {loss}": {"method": "dpo", "dpo": {"loss": loss, "nll": 0.2}} for loss in LOSSES},
    "sft + rehearsal": {},
    "dpo + rehearsal": {"method": "dpo"},
    **{kind: {"adapter": {"kind": kind, "rank": 4}} for kind in ("rslora", "dora", "pissa", "qlora")},
    "rslora + dora": {"adapter": {"kind": "rslora", "dora": True, "rank": 4}},
    "pissa + rslora": {"adapter": {"kind": "pissa", "rslora": True, "rank": 4}},
    "qlora + rslora": {"adapter": {"kind": "qlora", "rslora": True, "rank": 4}},
    "qlora + dora": {"adapter": {"kind": "qlora", "dora": True, "rank": 4}},
    "qlora + rslora + dora": {"adapter": {"kind": "qlora", "rslora": True, "dora": True, "rank": 4}},
    "full": {"adapter": {"kind": "full"}, "learning_rate": 1e-3},
    "full in eight bits": {"adapter": {"kind": "full"}, "learning_rate": 1e-3, "optimizer": "adamw8bit"},
    "lora+": {"adapter": {"rank": 4, "b_rate": 16}},
    "neftune": {"neftune": 5.0},
    "new words": {"adapter": {"rank": 4, "new_words": ["What", "is"]}},
    "cpt with new words": {"method": "cpt", "adapter": {"rank": 4, "new_words": ["What", "is"]}},
    "bf16": {"precision": "bf16"},
}
PACKED = ("qlora", "qlora + rslora", "qlora + dora", "qlora + rslora + dora", "full in eight bits")
"""What bitsandbytes packs."""
ROUNDED = {"bf16": 1e-2}
"""How far products may be off that are rounded as each CPU does it; 1e-3 for all others."""


def rows(method: str) -> list[Example]:
    talks = [ask(f"What is {i} + {i}?", f"It is {2 * i}.") for i in range(12)]
    if method == "cpt":
        return [make_document(f"{asked.content} {said.content}") for asked, said in talks]
    if method == "kto":
        return [make_example(talk, desirable=place % 2 == 0) for place, talk in enumerate(talks)]
    if method in ("dpo", "orpo"):
        return [make_example(talk, rejected="The fox is red.") for talk in talks]
    return [make_example(talk) for talk in talks]


def general(name: str) -> list[Example]:
    """What is rehearsed beside the rows."""
    if not name.endswith("rehearsal"):
        return []
    return [make_example(ask(f"Reply with one word: {i}", "yes")) for i in range(3)]


def losses(name: str, base: Base, folder: Path) -> list[float]:
    """The losses of two steps, and of dev before and after them."""
    common = {
        "epochs": 1, "batch_tokens": 10_000, "learning_rate": 1e-2, "adapter": {"rank": 4}, "warmup": 0.0,
        "precision": "fp32", "dev_every": 1,
    }  # fmt: skip
    spec = TrainSpec.model_validate({**common, "epochs": 2, **SETTINGS[name]})
    examples = rows(spec.method)
    (folder / "out").mkdir(parents=True)
    train(
        spec, examples[:8], examples[8:], base=base, system="Count.", work=folder / "work", out=folder / "out",
        threads=1, rehearsal=general(name),
    )  # fmt: skip
    history = json.loads((folder / "out/history.json").read_text())
    assert len(history["steps"]) == 2
    return [line["loss"] for part in ("steps", "dev") for line in history[part]]


@pytest.mark.parametrize("name", SETTINGS)
def test_two_steps(name: str, tiny_base: Base, tmp_path: Path) -> None:
    if name in PACKED:
        pytest.importorskip("bitsandbytes")
    wanted = json.loads(GOLDEN.read_text())[name]
    assert losses(name, tiny_base, tmp_path) == pytest.approx(wanted, rel=ROUNDED.get(name, 1e-3))


def test_each_setting_has_losses_of_its_own() -> None:
    """A setting that changed nothing would pass the test above."""
    golden = json.loads(GOLDEN.read_text())
    assert golden.keys() == SETTINGS.keys()
    assert len({tuple(found) for found in golden.values()}) == len(golden)


if __name__ == "__main__":
    import tempfile

    with tempfile.TemporaryDirectory() as scratch:
        place = Path(scratch)
        model = resolve_base(str(save_model(place / "base")), place)
        found = {name: losses(name, model, place / name) for name in SETTINGS}
    GOLDEN.write_text(json.dumps(found, indent=1) + "\n")
