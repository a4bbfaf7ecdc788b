"""Did it learn? Proofs taken after training, for runs that look healthy and did nothing."""

from collections.abc import Mapping, Sequence
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from tunewright.core.errors import GateError, ModelError, Problem
from tunewright.models.load import put_adapter
from tunewright.train.pack import Row
from tunewright.train.summary import LearntCheck

_TOLERANCE = 1e-2
"""Largest difference of logits on an accelerator, as a share of the largest logit. On a CPU they must be equal, or within
that where the update is saved in another form."""

_EARLY = 3
"""Steps after which a matrix without a gradient is not waited for."""
_WAITING = (".experts.", "trainable_tokens")
"""In the names of weights that not every row reaches."""


def check_changed(before: Mapping[str, Tensor], after: Mapping[str, Tensor]) -> LearntCheck:
    """The weights differ from those that training began with."""
    same = [name for name, tensor in after.items() if torch.equal(tensor, before[name])]
    seen = f"{len(after) - len(same)} of {len(after)} matrices changed" + (
        f"; {same[0]} did not" if same else ""
    )
    return LearntCheck(name="adapter changed", passed=len(same) < len(after), seen=seen)


def check_gradients(names: Sequence[str], reached: Sequence[bool], steps: int) -> LearntCheck:
    """A gradient other than zero reached every adapter matrix. After one step only B can have had one, since B = 0."""
    wanted = [
        (name, hit) for name, hit in zip(names, reached, strict=True) if steps > 1 or "lora_A" not in name
    ]
    without = [name for name, hit in wanted if not hit]
    seen = f"{len(wanted) - len(without)} of {len(wanted)} matrices" + (
        f"; {without[0]} had none" if without else ""
    )
    return LearntCheck(name="gradients reached the adapter", passed=not without, seen=seen)


def refuse_unreached(names: Sequence[str], reached: Sequence[bool], step: int) -> None:
    """Raise GateError after the third step where there are weights that no gradient has reached and none will.

    Of an adapter, B says so: A's gradient waits for B to move. An expert waits for a token of its own, a new word for its
    row; whether they had one is seen at the end.
    """
    if step != _EARLY:
        return
    asked = "lora_B" if any("lora_B" in name for name in names) else ""
    wanted = [
        (name, hit)
        for name, hit in zip(names, reached, strict=True)
        if asked in name and not any(word in name for word in _WAITING)
    ]
    without = [name for name, hit in wanted if not hit]
    if without:
        message = (
            f"Training would not take: after {step} steps no gradient has reached {len(without)} of {len(wanted)}"
            f" matrices, {without[0]} among them."
        )
        if asked:
            leaf = without[0].partition(".lora_B")[0].rpartition(".")[2]
            fix = f"Set train.adapter.targets to the layers that text goes through, without {leaf}, or choose another base."
        else:
            fix = "Choose lora, or another base."
        where = "train.adapter.targets" if asked else "train.adapter.kind"
        raise GateError([Problem(message, where=where, fix=fix)])


def row_logits(model: Any, rows: Sequence[Row]) -> list[Tensor]:
    """Logits [N, V] in fp32, on the CPU, that predict each row's trained tokens, by the model's own forward pass."""
    model.eval()
    with torch.no_grad():
        return [_logits(model, row).float().cpu() for row in rows]


def _logits(model: Any, row: Row) -> Tensor:
    """Logits [N, V] of one row; a model that can takes them at these places alone."""
    device = next(model.parameters()).device
    places = torch.tensor([place - 1 for place in range(1, len(row.ids)) if row.mask[place]], device=device)
    plain = model.get_base_model() if hasattr(model, "get_base_model") else model
    kept = "logits_to_keep" in signature(plain.forward).parameters
    more = {"logits_to_keep": places} if kept else {}
    ids = torch.tensor([list(row.ids)], device=device)
    logits: Tensor = model(input_ids=ids, use_cache=False, **more).logits[0]
    return logits if kept else logits[places]


def check_effect(base_logits: Sequence[Tensor], tuned_logits: Sequence[Tensor]) -> LearntCheck:
    """The adapter changes what the base says."""
    most = max(float((a - b).abs().max()) for a, b in zip(base_logits, tuned_logits, strict=True))
    return LearntCheck(name="adapter changes the logits", passed=most > 0, seen=f"by up to {most:.3g}")


def check_reload(
    model: Any, adapter: Path, rows: Sequence[Row], wanted: Sequence[Tensor], *, exact: bool
) -> LearntCheck:
    """The saved adapter, put on the base without one, misses no key, has none too many, and gives the logits of training.

    The base is that of training, for a second one may not fit into memory. `exact` says that nothing has changed its
    weights and that the saved ones are those trained, number by number: then so are the logits on a CPU.
    """
    name = "saved adapter reloads"
    weight = next(model.parameters())
    try:
        fresh = put_adapter(model, adapter).to(weight.device).eval()
    except ModelError as error:
        return LearntCheck(name=name, passed=False, seen=str(error))
    found = row_logits(fresh, rows)
    most = max(float((a - b).abs().max()) for a, b in zip(found, wanted, strict=True))
    allowed = (
        0.0
        if exact and weight.device.type == "cpu"
        else _TOLERANCE * max(float(part.abs().max()) for part in wanted)
    )
    return LearntCheck(
        name=name, passed=most <= allowed, seen=f"logits differ by {most:.3g} (allowed {allowed:.3g})"
    )


def refuse_unlearnt(checks: Sequence[LearntCheck]) -> None:
    """Raise GateError that names every check that failed."""
    failed = [check for check in checks if not check.passed]
    if failed:
        fix = "Nothing was saved; please report this with the run's log."
        raise GateError(
            [Problem(f"Training did not take: {check.name} ({check.seen}).", fix=fix) for check in failed]
        )
