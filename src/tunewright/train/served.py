"""Served: what an engine would not load of an adapter as it is, or as the engine is when nothing is set."""

from typing import TYPE_CHECKING

from tunewright.core.errors import Problem
from tunewright.train.spec import AdapterSpec

if TYPE_CHECKING:  # settings alone need no torch
    from tunewright.train.untouched import Experts

_SERVED = 16
"""The highest rank that vLLM loads where it is told of none."""
_SERVABLE = (1, 8, 16, 32, 64, 128, 256, 320, 512)
"""What it can be told: the values of --max-lora-rank that it takes."""


def serving_warnings(spec: AdapterSpec, experts: "Experts | None" = None) -> list[Problem]:
    """All that the adapter cannot be served with. Without a rank, nothing is said of it; `experts` are those of the base."""
    if spec.kind == "full":
        return []
    found = []
    if spec.new_words:
        fix = "Merge it into the base to serve it there (its tokenizer goes with it), or leave the words out."
        found.append(
            Problem("vLLM loads no adapters with new tokens", where="train.adapter.new_words", fix=fix)
        )
    if spec.sized:
        kind = spec.kind == "dora"
        where = f"train.adapter.{'kind' if kind else 'dora'}"
        way = "choose lora or rslora" if kind else "leave it out"
        fix = f"Merge it into the base to serve it there, or {way}."
        found.append(Problem("vLLM loads no DoRA adapters", where=where, fix=fix))
    if experts is not None and experts.times:
        found.append(_on_experts())
    if spec.rank is not None:
        found += _rank_warnings(spec.kind, spec.rank, experts)
    return found


def _on_experts() -> Problem:
    return Problem(
        "the adapter is on experts that are stacked in one tensor: vLLM takes such a one only where it is told so"
        " (is_3d_lora_weight), and not of every base",
        where="train.adapter.targets",
        fix="Try it there before you rely on it, merge it into the base, or adapt the attention alone:"
        " targets: [q_proj, k_proj, v_proj, o_proj].",
    )


def _rank_warnings(kind: str, trained: int, experts: "Experts | None") -> list[Problem]:
    """Whether vLLM loads the highest saved rank, which with pissa or on some experts is more than the trained one."""
    times = 2 if kind == "pissa" else max(1, experts.times if experts is not None else 1)
    rank = times * trained
    if rank <= _SERVED:
        return []
    asked = next((allowed for allowed in _SERVABLE if allowed >= rank), None)
    if asked is None:
        message = f"vLLM loads no adapter of rank {rank}: {_SERVABLE[-1]} is the highest that it takes"
        fix = (
            f"Merge it into the base to serve it there, or set the rank to {_SERVABLE[-1] // times} or less."
        )
    else:
        message = (
            f"vLLM loads an adapter of rank {rank} only where it is started with --max-lora-rank {asked}"
            f" or more (it takes {_SERVED} where nothing is set)"
        )
        fix = f"Start it so, or set the rank to {_SERVED // times} or less."
    return [Problem(message, where="train.adapter.rank", fix=fix)]
