"""The pretraining loop: phases of steps, one checkpoint file, and the same run whether or not it was cut off.

A batch is a pure function of the seed and the step, so a checkpoint needs only weights, optimizer state and the step.
Matrices are trained by Muon, embeddings and norms by AdamW; over float32 master weights the matmuls run in bfloat16
where the machine multiplies it in hardware, else in float32. An accelerator is used where there is one, and other
processes draw its batches.
A moving average of the weights is kept: that is what is scored and shipped.
"""

from __future__ import annotations

import ctypes
import os
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from transformers import Qwen3Config, Qwen3ForCausalLM

from tunewright.models.embedded.muon import Muon
from tunewright.models.embedded.rows import Rows
from tunewright.models.load import default_device
from tunewright.models.machine import has_fast_bf16

ROPE_BASE = 10000.0

Batcher = Callable[[int], Rows]
"""The rows of a step."""


@dataclass(frozen=True)
class Rates:
    """How fast to learn; `muon` and `adam` are peak rates, `average` the share of the old average kept at each step."""

    muon: float = 3e-3
    adam: float = 3e-3
    warmup: int = 100
    average: float = 0.995


@dataclass
class Learner:
    """A model in training with its optimizers, its averaged weights and where it stands."""

    model: Qwen3ForCausalLM
    optimizers: list[torch.optim.Optimizer]
    average: dict[str, torch.Tensor]
    step: int = 0
    tokens: int = 0
    seconds: float = 0.0


def base_config(**changes: Any) -> Qwen3Config:
    """The shape of the embedded base model; tests pass smaller numbers."""
    from tunewright.models.embedded.tokenizer import SPECIAL, TURN_END, VOCAB_SIZE

    settings = {
        "vocab_size": VOCAB_SIZE,
        "hidden_size": 256,
        "intermediate_size": 512,
        "num_hidden_layers": 5,
        "num_attention_heads": 4,
        "num_key_value_heads": 4,
        "head_dim": 64,
        "max_position_embeddings": 2048,
        "rope_parameters": {"rope_type": "default", "rope_theta": ROPE_BASE},
        "tie_word_embeddings": True,
        "bos_token_id": None,
        "eos_token_id": SPECIAL.index(TURN_END),
        "pad_token_id": SPECIAL.index("<|pad|>"),
        **changes,
    }
    config = Qwen3Config(**settings)
    # Rows are short and carry their own mask; on a CPU the plain form is faster than the fused one.
    config._attn_implementation = "eager"
    return config


def new_learner(config: Qwen3Config, seed: int, rates: Rates, spaced: dict[int, int]) -> Learner:
    """A fresh model, with two things given: a space in front is one shared direction, and two heads look back.

    The token of ` word` starts as the token of `word` plus that direction. Heads of the first layer start out on the
    token before and the one before that: copying needs such a head, and finding it by chance took thousands of steps.
    """
    torch.manual_seed(seed)
    model = Qwen3ForCausalLM(config)
    with torch.no_grad():
        table = model.model.embed_tokens.weight
        space = torch.randn(config.hidden_size) * config.initializer_range
        for with_space, without in spaced.items():
            table[with_space] = table[without] + space
        _look_back(model)
        for name, param in model.named_parameters():
            if name.endswith(("o_proj.weight", "down_proj.weight")):
                param.mul_((2 * config.num_hidden_layers) ** -0.5)
    return _learner(model, rates)


def _look_back(model: Qwen3ForCausalLM) -> None:
    """Aim the first heads of the first layer one and two tokens back, by the fastest-turning pairs of RoPE."""
    config = model.config
    attention, half, pairs = model.model.layers[0].self_attn, config.head_dim // 2, 4
    constant = torch.randn(config.hidden_size)
    constant /= constant.norm()
    table: torch.Tensor = model.model.embed_tokens.weight
    table += constant * table.norm(dim=1).mean()
    turn = ROPE_BASE ** (-torch.arange(pairs) / half)
    for head, back in ((0, 1), (1, 2)):
        start = head * config.head_dim
        rows = torch.arange(pairs) + start
        attention.k_proj.weight[rows] += constant
        attention.q_proj.weight[rows] += torch.cos(back * turn)[:, None] * constant
        attention.q_proj.weight[rows + half] -= torch.sin(back * turn)[:, None] * constant
    attention.q_norm.weight.mul_(2.0)
    attention.k_norm.weight.mul_(2.0)


def _learner(model: Qwen3ForCausalLM, rates: Rates) -> Learner:
    place: Any = default_device()
    model.to(place)
    if model.device.type != "cpu":
        model.set_attn_implementation("sdpa")
    matrices = [param for name, param in model.named_parameters() if param.ndim == 2 and "embed" not in name]
    rest = [param for name, param in model.named_parameters() if param.ndim != 2 or "embed" in name]
    optimizers: list[torch.optim.Optimizer] = [
        Muon(matrices, lr=rates.muon),
        torch.optim.AdamW(rest, lr=rates.adam, betas=(0.9, 0.98), weight_decay=0.0, fused=True),
    ]
    average = {name: param.detach().clone() for name, param in model.named_parameters()}
    return Learner(model, optimizers, average)


def loss_of(model: Qwen3ForCausalLM, rows: Rows) -> tuple[torch.Tensor, torch.Tensor]:
    """Mean cross-entropy over the learnt tokens, and the share of them that is the likeliest token."""
    device = model.device
    ids, parts = (torch.from_numpy(given).to(device) for given in (rows.ids, rows.parts))
    length = ids.shape[1]
    order = torch.ones(length, length, dtype=torch.bool, device=device).tril()
    same = (parts[:, :, None] == parts[:, None, :]) & order
    # their number is found on the CPU: an accelerator would have to be waited for
    places = tuple(part.to(device) for part in torch.from_numpy(rows.learn[:, 1:]).nonzero(as_tuple=True))
    fast = has_fast_bf16()
    with torch.autocast(device.type, dtype=torch.bfloat16, enabled=fast):
        kind = torch.bfloat16 if fast else torch.float32
        mask = torch.zeros(same.shape, dtype=kind, device=device).masked_fill_(~same, -1e9)[:, None]
        hidden = model.model(input_ids=ids, attention_mask=mask, use_cache=False)[0]
        logits = model.lm_head(hidden[places])
    labels = ids[:, 1:][places]
    hits = (logits.detach().argmax(-1) == labels).float().mean()
    return F.cross_entropy(logits.float(), labels), hits


class _Steps:
    """The batches of steps, as a data set that other processes read."""

    def __init__(self, batch: Batcher) -> None:
        self._batch = batch

    def __getitem__(self, step: int) -> tuple[int, Rows]:
        return step, self._batch(step)


def _as_drawn(drawn: Any) -> Any:
    return drawn


def drawn_ahead(batch: Batcher, steps: Sequence[int], workers: int) -> Batcher:
    """`batch` for each of `steps` in turn, drawn by `workers` other processes (0: by this one, when it is asked for)."""
    if not workers:
        return batch
    from torch.utils.data import DataLoader

    os.environ["TOKENIZERS_PARALLELISM"] = "false"  # its threads do not outlive a fork
    source: Any = _Steps(batch)
    loader = DataLoader(
        source, batch_size=None, sampler=steps, num_workers=workers, collate_fn=_as_drawn, prefetch_factor=4
    )
    stream = iter(loader)

    def following(step: int) -> Rows:
        drawn, rows = next(stream)
        assert drawn == step, f"step {step} was asked for, and {drawn} is next"
        return rows

    return following


def train(
    learner: Learner,
    batch: Batcher,
    until: int,
    rates: Rates,
    rate_at: Callable[[int], float],
    note: Callable[[str], None],
    save: Callable[[Learner], None],
    save_every: float = 120.0,
) -> None:
    """Train to step `until`; `rate_at(step)` scales both rates; `save` is called every `save_every` seconds and last."""
    model = learner.model.train()
    saved, seen, began = time.monotonic(), [], time.monotonic()
    noted = (learner.tokens, learner.seconds)
    while learner.step < until:
        rows = batch(learner.step)
        scale = rate_at(learner.step) * min(1.0, (learner.step + 1) / rates.warmup)
        loss, hits = loss_of(model, rows)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(learner.optimizers[1].param_groups[0]["params"], 1.0)
        for optimizer, peak in zip(learner.optimizers, (rates.muon, rates.adam), strict=True):
            for group in optimizer.param_groups:
                group["lr"] = peak * scale
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
        keep = min(rates.average, (learner.step + 1) / (learner.step + 10))
        with torch.no_grad():
            params = dict(model.named_parameters())
            torch._foreach_lerp_([learner.average[name] for name in params], list(params.values()), 1 - keep)
        learner.step += 1
        learner.tokens += int((rows.parts >= 0).sum())
        seen.append((loss.detach(), hits))
        now = time.monotonic()
        learner.seconds += now - began
        began = now
        if learner.step % 25 == 0:
            losses, shares = zip(*((float(one), float(other)) for one, other in seen), strict=True)
            rate = (learner.tokens - noted[0]) / (learner.seconds - noted[1])
            noted = (learner.tokens, learner.seconds)
            loss_mean, hits_mean = sum(losses) / len(seen), sum(shares) / len(seen)
            note(f"step {learner.step} loss {loss_mean:.3f} hits {hits_mean:.3f} {rate:.0f} tokens/s")
            seen = []
        if now - saved > save_every:
            save(learner)
            saved = now
    save(learner)


def save_learner(learner: Learner, path: Path) -> None:
    """Write the checkpoint in one piece: a run cut off here keeps the one before."""
    state = {
        "model": learner.model.state_dict(),
        "optimizers": [optimizer.state_dict() for optimizer in learner.optimizers],
        "average": learner.average,
        "step": learner.step,
        "tokens": learner.tokens,
        "seconds": learner.seconds,
    }
    draft = path.with_suffix(".tmp")
    torch.save(state, draft)
    os.replace(draft, path)


def load_learner(path: Path, config: Qwen3Config, rates: Rates) -> Learner:
    """The learner of a checkpoint."""
    state = torch.load(path, weights_only=True, map_location="cpu")
    model = Qwen3ForCausalLM(config)
    model.load_state_dict(state["model"])
    learner = _learner(model, rates)
    for optimizer, saved in zip(learner.optimizers, state["optimizers"], strict=True):
        optimizer.load_state_dict(saved)
    learner.average = {name: value.to(model.device) for name, value in state["average"].items()}
    learner.step, learner.tokens, learner.seconds = state["step"], state["tokens"], state["seconds"]
    return learner


def warm_learner(
    folder: Path, config: Qwen3Config, rates: Rates, step: int, tokens: int, seconds: float
) -> Learner:
    """A learner that goes on from the weights in `folder`, with fresh optimizers."""
    model = Qwen3ForCausalLM.from_pretrained(folder, config=config, dtype=torch.float32)
    learner = _learner(model, rates)
    learner.step, learner.tokens, learner.seconds = step, tokens, seconds
    return learner


def averaged(learner: Learner, config: Qwen3Config) -> Qwen3ForCausalLM:
    """The model with its averaged weights, for scoring and shipping."""
    model = Qwen3ForCausalLM(config)
    with torch.no_grad():
        for name, param in model.named_parameters():
            param.copy_(learner.average[name])
    return model.eval()


def keep_memory() -> None:
    """Let glibc keep freed blocks: page faults on fresh activations cost a sixth of a step. Does nothing elsewhere."""
    try:
        libc = ctypes.CDLL("libc.so.6")
    except OSError:
        return
    for option, value in ((-3, 1 << 30), (-1, 1 << 30), (-2, 1 << 28)):
        libc.mallopt(option, value)
