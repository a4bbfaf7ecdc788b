"""Every kind of adapter, and none: it trains, starts as the base, and what is saved gives the logits of training."""

import math
import shutil
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from test_run import ROWS, SPEC, Cut, contents, run

from mounts import in_namespace, needs_mounts
from tunewright.core.errors import ModelError
from tunewright.core.example import Example, make_document, make_example
from tunewright.core.files import read_json
from tunewright.core.generation import Decoding, Generator
from tunewright.generate.torch import TorchGenerator
from tunewright.models import load
from tunewright.models.load import load_model, load_tokenizer
from tunewright.models.template import Renderer
from tunewright.train import learnt, optimizer, weights
from tunewright.train.defaults import Facts, settle
from tunewright.train.fast import dense, fast_layers, four_bit
from tunewright.train.lora import ADAPTER
from tunewright.train.methods import find_method
from tunewright.train.pack import Row, Tree, pack
from tunewright.train.policy import Policy
from tunewright.train.run import train
from tunewright.train.served import serving_warnings
from tunewright.train.spec import AdapterSpec, SettledAdapter, TrainSpec

needs_bitsandbytes = pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="needs bitsandbytes")
KINDS = ("lora", "rslora", "dora", "pissa", pytest.param("qlora", marks=needs_bitsandbytes), "full")
CPU = torch.device("cpu")


def spec_of(kind: str, **more) -> TrainSpec:
    rate = 1e-3 if kind == "full" else 1e-2
    return SPEC.model_copy(update={"adapter": AdapterSpec(kind=kind, rank=4), "learning_rate": rate, **more})


def examples_of(method: str) -> list[Example]:
    """Rows as the method takes them."""
    if method == "cpt":
        return [make_document(" ".join(turn.content for turn in row)) for row in ROWS]
    return [make_example(row, rejected="The fox." if method == "orpo" else None) for row in ROWS]


def prepared(base, kind: str):
    return weights.prepare(base, SettledAdapter(kind=kind, rank=4), CPU, 0, torch.float32)


@pytest.fixture(scope="module")
def rows(tiny_base):
    renderer = Renderer(load_tokenizer(tiny_base))
    trees = find_method("sft").trees([make_example(row) for row in ROWS[:2]], renderer)
    return [tree.rows[0] for tree in trees]


@pytest.mark.parametrize("kind", KINDS)
def test_it_begins_as_the_base(tiny_base, rows, kind):
    model = prepared(tiny_base, kind)
    base = load_model(tiny_base, four_bit=kind == "qlora")
    for found, wanted in zip(learnt.row_logits(model, rows), learnt.row_logits(base, rows), strict=True):
        torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-4)


@pytest.mark.parametrize("kind", KINDS)
def test_it_learns_and_goes_on_the_base(tiny_base, tmp_path, kind):
    summary = run(tmp_path, tiny_base, spec_of(kind))
    assert summary.best_dev_loss < 0.9 * summary.first_dev_loss
    assert [check.passed for check in summary.checks] == [True] * 4
    plain = load_model(tiny_base)
    assert summary.parameters == sum(value.numel() for value in plain.parameters())
    assert (summary.trained_parameters == summary.parameters) == (kind == "full")
    generator = TorchGenerator(tiny_base, tmp_path / "out/adapter")
    reply = generator.generate([ROWS[0][:-1]], Decoding(max_new_tokens=8))[0]
    assert reply.error is None


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
@pytest.mark.parametrize(
    ("kind", "beside"),
    [
        ("lora", {"rslora": True, "dora": True}),
        ("pissa", {"rslora": True}),
        pytest.param("qlora", {"rslora": True}, marks=needs_bitsandbytes),
        pytest.param("qlora", {"dora": True}, marks=needs_bitsandbytes),
        pytest.param("qlora", {"rslora": True, "dora": True}, marks=needs_bitsandbytes),
    ],
)
def test_kinds_that_go_together(tiny_base, tmp_path, kind, beside, precision):
    """The last check loads the saved adapter on the base with PEFT and compares logits."""
    adapter = AdapterSpec(kind=kind, rank=4, **beside)
    spec = spec_of(kind, adapter=adapter, precision=precision, epochs=1)
    summary = run(tmp_path, tiny_base, spec)
    assert summary.best_dev_loss < 0.9 * summary.first_dev_loss
    assert [check.passed for check in summary.checks] == [True] * 4
    config = read_json(tmp_path / "out/adapter/adapter_config.json")
    found = {name: config[f"use_{name}"] for name in ("rslora", "dora")}
    assert found == {"rslora": False, "dora": False, **beside}
    rooted, doubled = "rslora" in beside, kind == "pissa"
    assert config["r"] == (8 if doubled else 4)
    assert config["lora_alpha"] == pytest.approx(8 * (2 ** (0.5 if rooted else 1) if doubled else 1))


def test_a_kind_and_its_flag_are_one(tiny_base):
    """`kind: rslora` is lora with the flag: the same modules, scales and beginning."""
    models = [
        weights.prepare(tiny_base, SettledAdapter(rank=4, **given), CPU, 0, torch.float32).peft_config[ADAPTER].to_dict()
        for given in (
            {"kind": "rslora", "dora": True}, {"kind": "dora", "rslora": True}, {"rslora": True, "dora": True},
        )
    ]  # fmt: skip
    assert models[0] == models[1] == models[2]


@pytest.mark.parametrize(
    ("given", "called"),
    [
        ({}, "lora"),
        ({"kind": "rslora", "rslora": True}, "rslora"),
        ({"kind": "qlora", "rslora": True, "dora": True}, "qlora + rslora + dora"),
    ],
)
def test_what_an_adapter_is_called(given, called):
    assert AdapterSpec(**given).called == called


@pytest.mark.parametrize("kind", ["pissa", "full"])
def test_a_run_gives_the_same_bytes_again(tiny_base, tmp_path, kind):
    for name in ("one", "other"):
        run(tmp_path / name, tiny_base, spec_of(kind, epochs=1))
    assert contents(tmp_path / "one/out") == contents(tmp_path / "other/out")


def test_pissa_saves_an_update_of_twice_the_rank(tiny_base, tmp_path, rows):
    run(tmp_path, tiny_base, spec_of("pissa", epochs=1))
    config = read_json(tmp_path / "out/adapter/adapter_config.json")
    assert (config["r"], config["lora_alpha"], config["init_lora_weights"]) == (8, 16, True)
    stored = load_file(tmp_path / "out/adapter/adapter_model.safetensors")
    assert {value.shape[0 if "lora_A" in name else 1] for name, value in stored.items()} == {8}


def test_pissa_starts_from_the_largest_singular_values(tiny_base):
    model, base = prepared(tiny_base, "pissa"), load_model(tiny_base)
    layer = model.base_model.model.model.layers[0].mlp.up_proj
    weight = base.model.layers[0].mlp.up_proj.weight.detach()
    u, s, v = torch.linalg.svd(weight, full_matrices=False)
    rest = (u[:, 4:] * s[4:]) @ v[4:]
    torch.testing.assert_close(layer.base_layer.weight.detach(), rest, atol=1e-5, rtol=1e-3)


SAVE = """
import sys
from pathlib import Path
import torch
from tunewright.models.base import resolve_base
from tunewright.train import weights
from tunewright.train.spec import SettledAdapter

base, spec = resolve_base(sys.argv[1], Path("/")), SettledAdapter(kind="full", rank=4)
model = weights.prepare(base, spec, torch.device("cpu"), 0, torch.float32)
try:
    weights.save(model, base, spec, {}, {}, Path(sys.argv[2]) / "adapter")
except OSError as error:
    print(type(error.__cause__).__name__, error.errno == 28, error.filename)
"""


def saved_on_a_disk(base: Path, folder: Path, room: int) -> str:
    """What is said of saving a whole model on a disk with `room` kB more than its weights take."""
    pages = -(-(base / "model.safetensors").stat().st_size // 4096)
    (folder / "disk").mkdir()
    (folder / "save.py").write_text(SAVE)
    return in_namespace(
        f"mount -t tmpfs -o size={4 * pages + room}k none {folder}/disk\n"
        f"{sys.executable} {folder}/save.py {base} {folder}/disk"
    ).stdout


@needs_mounts
@pytest.mark.parametrize(("room", "library"), [(-64, "SafetensorError"), (12, "NoneType"), (20, "Exception")])
def test_a_full_disk_is_an_os_error_whatever_the_library_says(tiny_base, tmp_path, room, library):
    """The model does not fit; or it does with three small files, but not what is written next; or not the tokenizer."""
    assert saved_on_a_disk(tiny_base.path, tmp_path, room) == f"{library} True {tmp_path}/disk/adapter\n"


@needs_mounts
def test_a_disk_too_full_for_what_prepares_images_is_named_and_not_the_base(tiny_base, tmp_path):
    base = tmp_path / "base"
    shutil.copytree(tiny_base.path, base)
    (base / "preprocessor_config.json").write_text(f'{{"a": "{"b" * 65536}"}}')
    assert saved_on_a_disk(base, tmp_path, 32) == f"NoneType True {tmp_path}/disk/adapter\n"


def test_full_saves_a_model_that_any_loader_takes(tiny_base, tmp_path):
    from transformers import AutoModelForCausalLM, AutoTokenizer

    run(tmp_path, tiny_base, spec_of("full", epochs=1))
    folder = tmp_path / "out/adapter"
    assert load.is_whole(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32)
    ours = load_model(tiny_base, adapter=folder)
    ids = torch.arange(9)[None]
    assert torch.equal(model(input_ids=ids).logits, ours(input_ids=ids).logits)
    assert AutoTokenizer.from_pretrained(folder).chat_template


def test_full_in_bf16_keeps_its_weights_in_fp32(tiny_base, tmp_path):
    summary = run(tmp_path, tiny_base, spec_of("full", precision="bf16"))
    assert summary.best_dev_loss < 0.9 * summary.first_dev_loss
    stored = load_file(tmp_path / "out/adapter/model.safetensors")
    assert {value.dtype for value in stored.values()} == {torch.float32}


@needs_bitsandbytes
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_the_gradient_through_four_bits_is_that_of_the_numbers_they_stand_for(tiny_base, rows, dtype):
    """bitsandbytes' own layer gives none on a CPU; the fast one computes with the unpacked weights."""
    grads = []
    for unpacked in (False, True):
        model = prepared(tiny_base, "qlora")
        if unpacked:
            _unpack(model)
        with torch.no_grad():
            for name, value in sorted(weights.trained(model).items()):
                value.copy_(torch.randn(value.shape, generator=torch.Generator().manual_seed(len(name))))
        with fast_layers(model, dtype):
            ids = torch.tensor([list(rows[0].ids)])
            model(input_ids=ids).logits.square().mean().backward()
        grads.append([value.grad for value in weights.trained(model).values()])
    assert len(grads[0]) == 28
    for one, other in zip(*grads, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=1e-5)


def _unpack(model) -> None:
    """Put plain linear layers in the place of those with four bits."""
    from peft.tuners.lora.layer import Linear as LoraLinear

    for name, layer in list(model.named_modules()):
        if not four_bit(getattr(layer, "base_layer", None)):
            continue
        packed = layer.base_layer
        plain = torch.nn.Linear(packed.in_features, packed.out_features, bias=False)
        plain.weight = torch.nn.Parameter(dense(packed, torch.float32)(), requires_grad=False)
        fresh = LoraLinear(plain, ADAPTER, r=4, lora_alpha=8, config=model.peft_config[ADAPTER])
        model.set_submodule(name, fresh)


@needs_bitsandbytes
@pytest.mark.parametrize("shape", [(40, 48), (6, 32), (4, 128)], ids=str)
def test_four_bits_are_the_numbers_that_they_stand_for(shape):
    """Blocks of 64 weights share a scale, also where a row is no whole number of them."""
    from bitsandbytes.nn import Linear4bit

    layer = Linear4bit(shape[1], shape[0], bias=False, quant_type="nf4", compress_statistics=False)
    whole = (
        torch.randn(shape, generator=torch.Generator().manual_seed(0))
        * torch.arange(1, shape[0] + 1)[:, None]
    )
    layer.weight.data = whole.clone()
    state = layer.to("cpu").weight.quant_state
    blocks = whole.flatten().view(-1, 64)
    nearest = (blocks / state.absmax[:, None])[..., None].sub(state.code).abs().argmin(-1)
    wanted = (state.code[nearest] * state.absmax[:, None]).view(shape)
    torch.testing.assert_close(dense(layer, torch.float32)(), wanted)


@needs_bitsandbytes
def test_four_bits_survive_an_answer(tiny_base, rows):
    """The base answers in between (dev answers, the probe) and trains on as before."""
    model = prepared(tiny_base, "qlora")
    trees = find_method("sft").trees(
        [make_example(row) for row in ROWS[:2]], Renderer(load_tokenizer(tiny_base))
    )
    with fast_layers(model, torch.float32):
        policy = Policy(model, trees, torch.float32)
        assert policy.packed
    before = learnt.row_logits(model, rows)
    model.train()
    with torch.no_grad():
        after = model(input_ids=torch.tensor([list(rows[0].ids)])).logits[0]
    places = [place - 1 for place in range(1, len(rows[0].ids)) if rows[0].mask[place]]
    torch.testing.assert_close(after[places], before[0], atol=1e-4, rtol=1e-4)


def test_without_bitsandbytes_qlora_says_what_to_install(tiny_base, monkeypatch):
    monkeypatch.setattr(load, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"qlora needs bitsandbytes") as caught:
        prepared(tiny_base, "qlora")
    assert "tunewright[qlora]" in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"method": "kto", "adapter": {"kind": "full"}}, "kto asks the base at each step"),
        ({"method": "kto", "adapter": {"kind": "pissa"}}, "kto asks the base at each step"),
        ({"strength": "auto", "adapter": {"kind": "pissa"}}, "set train.strength to 1"),
        ({"adapter": {"kind": "pissa", "dora": True}}, "plain update, .* leave train.adapter.dora out"),
    ],
)
def test_what_does_not_go_together(settings, words):
    with pytest.raises(ValueError, match=words):
        TrainSpec.model_validate(settings)


def test_dpo_on_all_weights_measures_against_the_base(tiny_base, tmp_path):
    """The first loss is log 2: policy and reference are the same before the first step."""
    pairs = [make_example(row, rejected="The fox is red.") for row in ROWS[:12]]
    spec = spec_of("full", method="dpo", epochs=1)
    (tmp_path / "out").mkdir()
    summary = train(
        spec, pairs[:8], pairs[8:], base=tiny_base, system="Count.", work=tmp_path / "work", out=tmp_path / "out",
        threads=1,
    )  # fmt: skip
    assert summary.first_dev_loss == pytest.approx(math.log(2), abs=1e-4)


def test_defaults_of_all_weights():
    facts = Facts(examples=900, tokens=90_000, steps=(40, 20, 10, 5), trained=9_000, width=2048)
    whole, choices = settle(TrainSpec(adapter=AdapterSpec(kind="full")), facts)
    assert whole.adapter.rank == 0
    assert whole.learning_rate == pytest.approx(2e-5)
    assert not any(choice.field == "adapter.rank" for choice in choices)
    assert serving_warnings(whole.adapter) == []
    assert "rank 32" in serving_warnings(SettledAdapter(kind="pissa", rank=16))[0].message


@pytest.mark.parametrize(
    ("kind", "on_an_accelerator"),
    [("lora", False), ("dora", False), ("qlora", False), ("pissa", True), ("full", True)],
)
def test_where_the_base_is_kept_in_fp32(kind, on_an_accelerator):
    """In bf16, pissa's base would lose what its adapter starts as, and full weights their small steps."""
    adapter = SettledAdapter(kind=kind, rank=4)
    assert adapter.keeps_fp32(on_cpu=True)
    assert adapter.keeps_fp32(on_cpu=False) is on_an_accelerator


@pytest.mark.parametrize("name", ["dropout", "b_rate", "targets", "rslora", "dora"])
def test_full_refuses_what_only_an_adapter_has(name):
    value = {"dropout": 0.1, "b_rate": 4, "targets": ("q_proj",)}.get(name, True)
    with pytest.raises(ValueError, match=rf"full trains all weights, and {name} is an adapter's"):
        TrainSpec.model_validate({"adapter": {"kind": "full", name: value}})
    assert TrainSpec.model_validate({"adapter": {"kind": "full", "rank": 16}}).adapter.kind == "full"


@pytest.mark.parametrize(
    ("kind", "more"),
    [
        ("rslora", {}),
        ("dora", {"precision": "bf16"}),
        ("pissa", {}),
        pytest.param("qlora", {}, marks=needs_bitsandbytes),
        ("full", {"precision": "bf16"}),
        ("lora", {"precision": "bf16", "neftune": 5.0, "gradient_checkpointing": True}),
        ("lora", {"strength": "auto"}),
        pytest.param("full", {"optimizer": "adamw8bit"}, marks=needs_bitsandbytes),
        ("lora", {"adapter": AdapterSpec(rank=4, b_rate=16)}),
        ("lora", {"method": "orpo"}),
        ("lora", {"method": "cpt"}),
        ("lora", {"judge": True}),
    ],
)
def test_cut_off_twice_it_ends_in_the_same_bytes(tiny_base, tmp_path, kind, more):
    more = dict(more)
    judge = _longer if more.pop("judge", None) else None
    spec = spec_of(kind, **more)
    rows = examples_of(spec.method)
    with_all = {"rows": rows[:20], "dev": rows[20:], "judge": judge}
    run(tmp_path / "whole", tiny_base, spec, **with_all)
    for point in ("train.step", "train.check"):

        def cut(event, point=point, **facts):
            if event == point and facts["step"] > 3:
                raise Cut

        with pytest.raises(Cut):
            run(tmp_path / "cut", tiny_base, spec, emit=cut, **with_all)
    run(tmp_path / "cut", tiny_base, spec, **with_all)
    assert contents(tmp_path / "cut/out") == contents(tmp_path / "whole/out")


def _longer(generator: Generator) -> float:
    """A judge that likes long answers."""
    reply = generator.generate([ROWS[0][:-1]], Decoding(max_new_tokens=9))[0]
    return len(reply.text) / 100


def test_dora_in_bf16_says_the_same_in_fewer_bits(tiny_base, rows):
    model = prepared(tiny_base, "dora")
    trees = [Tree((row,)) for row in rows]
    exact = Policy(model, trees, torch.float32).logprobs(pack(trees))
    mixed = Policy(model, trees, torch.bfloat16, mixed=True).logprobs(pack(trees))
    assert not torch.equal(exact, mixed)
    torch.testing.assert_close(exact, mixed, atol=0.1, rtol=0.05)


def test_the_proof_looks_at_some_places_alone(tiny_base, rows):
    """The same logits as the whole row's, and no more of a long row than its first trained tokens."""
    model = load_model(tiny_base)
    whole = model(input_ids=torch.tensor([list(rows[0].ids)])).logits[0]
    places = [place - 1 for place in range(1, len(rows[0].ids)) if rows[0].mask[place]]
    assert torch.equal(learnt.row_logits(model, rows)[0], whole[places])
    long = Row("a", list(range(5, 105)), [0] * 40 + [1, 0] * 30)
    begun = long.begun(8)
    assert (len(begun.ids), begun.trained, begun.prompt) == (55, 8, 40)
    assert rows[0].begun(99) == rows[0]._replace(
        ids=rows[0].ids[: places[-1] + 2], mask=rows[0].mask[: places[-1] + 2]
    )


@needs_bitsandbytes
def test_moments_in_eight_bits(tiny_base, tmp_path):
    """It learns about as well, and a checkpoint is smaller."""
    plain = run(tmp_path / "plain", tiny_base, spec_of("full"))
    short = run(tmp_path / "short", tiny_base, spec_of("full", optimizer="adamw8bit"))
    assert short.best_dev_loss == pytest.approx(plain.best_dev_loss, rel=0.05)
    assert short.best_dev_loss != plain.best_dev_loss
    sizes = [(tmp_path / name / "work/state-a.safetensors").stat().st_size for name in ("plain", "short")]
    assert sizes[1] < 0.9 * sizes[0]


def test_without_bitsandbytes_its_optimizer_says_what_to_install(tiny_base, tmp_path, monkeypatch):
    monkeypatch.setattr(optimizer, "find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"adamw8bit needs bitsandbytes") as caught:
        run(tmp_path, tiny_base, spec_of("lora", optimizer="adamw8bit"))
    assert "tunewright[qlora]" in str(caught.value)


def test_activations_kept_on_the_host_change_nothing(tiny_base, tmp_path, monkeypatch):
    kept, plain = [], torch.autograd.graph.save_on_cpu
    monkeypatch.setattr(
        torch.autograd.graph, "save_on_cpu", lambda **given: kept.append(given) or plain(**given)
    )
    assert run(tmp_path / "plain", tiny_base, spec_of("lora", epochs=1)).warnings == ()
    assert kept == []
    away = run(tmp_path / "away", tiny_base, spec_of("lora", epochs=1, activation_offload=True))
    assert kept
    assert {given["pin_memory"] for given in kept} == {False}
    assert [said.split(":")[0] for said in away.warnings] == ["train.activation_offload"]
    weights_of = [
        load_file(tmp_path / name / "out/adapter/adapter_model.safetensors") for name in ("plain", "away")
    ]
    assert all(torch.equal(value, weights_of[1][name]) for name, value in weights_of[0].items())
