"""What only an accelerator can show: one kernel for all segments, bf16 runs of every kind, going on after a cut."""

from importlib.util import find_spec

import pytest
import torch
from test_run import ROWS, SPEC, Cut, contents, run

from tunewright.core.files import read_json
from tunewright.core.generation import Decoding
from tunewright.generate.torch import TorchGenerator
from tunewright.train import attention, varlen
from tunewright.train.attention import Segments, Unread
from tunewright.train.spec import AdapterSpec

needs_accelerator = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs an accelerator")
CUTS = (
    Segments((5, 1, 90), (-1, -1, -1)),
    Segments((17, 30, 4, 2, 8), (-1, 0, 0, 2, 2)),
    Segments((64, 3, 200, 7), (-1, 0, 1, -1)),
)
KINDS = ("lora", "rslora", "dora", "pissa", "full")


def test_the_keys_of_a_segment_are_those_of_its_path():
    found = varlen.paths(Segments((2, 3, 1, 2), (-1, 0, 0, 2)), torch.device("cpu"))
    assert found.places is not None
    assert found.places.tolist() == [0, 1, 0, 1, 2, 3, 4, 0, 1, 5, 0, 1, 5, 6, 7]
    assert (found.queries.tolist(), found.keys.tolist()) == ([0, 2, 5, 6, 8], [0, 2, 7, 10, 15])
    assert (found.most_queries, found.most_keys) == (3, 5)
    assert varlen.paths(Segments((2, 3), (-1, -1)), torch.device("cpu")).places is None


@pytest.mark.parametrize(
    ("chip", "hip", "width"),
    [((7, 5), None, 0), ((8, 6), None, 192), ((9, 0), None, 256), ((9, 0), "6.2", 0)],
)
def test_the_kernel_is_asked_of_chips_that_have_it(monkeypatch, chip, hip, width):
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: chip)
    monkeypatch.setattr(torch.version, "hip", hip)
    varlen._width.cache_clear()
    assert varlen._width(torch.device("cuda", 7)) == width
    varlen._width.cache_clear()


def test_gradients_of_a_place_are_summed():
    x, places = torch.randn(4, 2, 3, requires_grad=True), torch.tensor([0, 1, 0, 3, 0])
    weight = torch.randn(5, 2, 3)
    (varlen._Gathered.apply(x, places) * weight).sum().backward()
    wanted = torch.zeros(4, 2, 3).index_add(0, places, weight)
    torch.testing.assert_close(x.grad, wanted)


@needs_accelerator
@pytest.mark.parametrize("cut", CUTS)
@pytest.mark.parametrize(("heads", "kv_heads", "width"), [(4, 4, 64), (8, 2, 128), (4, 2, 256)])
@pytest.mark.parametrize("window", [None, 6])
def test_one_kernel_gives_what_segments_give_one_by_one(cut, heads, kv_heads, width, window):
    torch.manual_seed(0)
    total = sum(cut.lengths)
    parts = [
        torch.randn(1, count, total, width, device="cuda").bfloat16().requires_grad_()
        for count in (heads, kv_heads, kv_heads)
    ]
    exact = [part.detach().float().requires_grad_() for part in parts]
    assert varlen.takes(parts[0], torch.bfloat16)
    found, _ = attention.attend(
        torch.nn.Identity(), *parts, None, segments=Unread(cut), sliding_window=window
    )
    wanted, _ = attention.attend(
        torch.nn.Identity(), *exact, None, segments=Unread(cut), sliding_window=window
    )
    torch.testing.assert_close(found.float(), wanted, atol=0.03, rtol=0.03)
    slope = torch.randn_like(wanted)
    found.backward(slope.bfloat16())
    wanted.backward(slope)
    for one, other in zip(parts, exact, strict=True):
        assert float((one.grad.float() - other.grad).norm() / other.grad.norm()) < 0.02


def spec_of(kind="lora", **more):
    rate = 1e-3 if kind == "full" else 1e-2
    adapter = AdapterSpec(kind=kind, rank=4)
    return SPEC.model_copy(update={"adapter": adapter, "learning_rate": rate, "precision": "bf16", **more})


@needs_accelerator
@pytest.mark.parametrize(
    ("kind", "more"),
    [
        *((kind, {}) for kind in KINDS),
        ("lora", {"gradient_checkpointing": True}),
        ("lora", {"activation_offload": True}),
        ("lora", {"neftune": 5.0}),
        ("lora", {"strength": "auto"}),
    ],
)
def test_it_learns_in_bf16(tiny_base, tmp_path, kind, more):
    summary = run(tmp_path, tiny_base, spec_of(kind, **more))
    assert (summary.packed, summary.precision) == (True, "bf16")
    assert summary.best_dev_loss < 0.9 * summary.first_dev_loss
    assert [check.passed for check in summary.checks] == [True] * 4
    generator = TorchGenerator(tiny_base, tmp_path / "out/adapter")
    assert generator.generate([ROWS[0][:-1]], Decoding(max_new_tokens=8))[0].error is None


@needs_accelerator
@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="needs bitsandbytes")
@pytest.mark.parametrize(("kind", "more"), [("qlora", {}), ("lora", {"optimizer": "adamw8bit"})])
def test_it_learns_in_bf16_with_bitsandbytes(tiny_base, tmp_path, kind, more):
    summary = run(tmp_path, tiny_base, spec_of(kind, **more))
    assert summary.packed
    assert summary.best_dev_loss < 0.9 * summary.first_dev_loss


@needs_accelerator
def test_its_losses_are_those_of_the_cpu(tiny_base, tmp_path, monkeypatch):
    """fp32 there and here; nothing dropped, for the devices draw other numbers."""
    spec = spec_of(precision="fp32", adapter=AdapterSpec(rank=4), learning_rate=1e-3)
    losses = []
    for name in ("cuda", "cpu"):
        monkeypatch.setattr("tunewright.train.run.default_device", lambda name=name: torch.device(name))
        run(tmp_path / name, tiny_base, spec)
        history = read_json(tmp_path / name / "out/history.json")
        losses.append([line["loss"] for line in history["steps"]])
    assert losses[0] == pytest.approx(losses[1], rel=2e-3)


@needs_accelerator
def test_cut_off_it_goes_on(tiny_base, tmp_path):
    """Sums on an accelerator are not made in one order, so what it ends in is near and not the same bytes."""
    whole = run(tmp_path / "whole", tiny_base, spec_of())

    def cut(event, **facts):
        if event == "train.step" and facts["step"] > 3:
            raise Cut

    with pytest.raises(Cut):
        run(tmp_path / "cut", tiny_base, spec_of(), emit=cut)
    after = run(tmp_path / "cut", tiny_base, spec_of())
    assert after.steps == whole.steps
    assert after.best_dev_loss == pytest.approx(whole.best_dev_loss, rel=0.02)
    assert contents(tmp_path / "cut/out").keys() == contents(tmp_path / "whole/out").keys()
