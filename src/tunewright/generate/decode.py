"""Decoding a batch of prompts with a transformers model: what they share is read once, finished rows drop out."""

import time
from collections.abc import Callable, Collection, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, NamedTuple

import torch

from tunewright.generate.beginning import Beginning, attending, takes_beginning
from tunewright.generate.cache import attends_to_all, cache_word, new_cache
from tunewright.generate.partition import MIN_SHARED, shared_beginning

_KEEP = 7 / 8
"""Rows are dropped when no more than this share still runs: each drop copies the cache."""

Pick = Callable[[torch.Tensor, Sequence[int]], list[int]]
"""From logits [running rows, vocabulary] and the rows' numbers to one token each."""


class Answer(NamedTuple):
    """One row's answer: its ids with the stop token that ended it, and its share of the batch's wall time."""

    ids: list[int]
    stopped: bool
    seconds: float


class _Row:
    def __init__(self, prompt: Sequence[int], room: int) -> None:
        self.prompt, self.room = prompt, room
        self.ids: list[int] = []
        self.stopped = False
        self.seconds = 0.0

    @property
    def running(self) -> bool:
        return not self.stopped and len(self.ids) < self.room

    @property
    def answer(self) -> Answer:
        return Answer(self.ids, self.stopped, self.seconds)


@torch.inference_mode()
def decode(
    model: Any,
    prompts: Sequence[Sequence[int]],
    room: Sequence[int],
    stop_ids: Collection[int],
    pick: Pick,
    on_answer: Callable[[int, Answer], None],
    *,
    once: bool = False,
) -> None:
    """Answer every prompt; `on_answer` gets (row, answer) as each row ends.

    `room` is the most tokens each row may have (at least 1). `once` keeps what the prompts begin with once, not once a
    row, for a model that `keeps_beginning`. The same call gives the same bits.
    """
    rows = [_Row(prompt, limit) for prompt, limit in zip(prompts, room, strict=True)]
    alive = list(range(len(rows)))
    clock = time.perf_counter()
    batch = _Batch(model, prompts, once=once)
    with batch.read_beginning():
        logits = batch.read_prompts()
        while alive:
            tokens = pick(logits, alive)
            now = time.perf_counter()
            seconds = (now - clock) / sum(rows[row].running for row in alive)
            _advance(rows, alive, tokens, stop_ids, seconds, on_answer)
            clock = now
            running = [place for place, row in enumerate(alive) if rows[row].running]
            if not running:
                return
            if len(running) <= _KEEP * len(alive):
                batch.keep(running)
                alive, tokens = [alive[place] for place in running], [tokens[place] for place in running]
            logits = batch.step(tokens)


def _advance(
    rows: list[_Row],
    alive: list[int],
    tokens: list[int],
    stop_ids: Collection[int],
    seconds: float,
    on_answer: Callable[[int, Answer], None],
) -> None:
    for number, token in zip(alive, tokens, strict=True):
        row = rows[number]
        if not row.running:
            continue
        row.ids.append(token)
        row.seconds += seconds
        row.stopped = token in stop_ids
        if not row.running:
            on_answer(number, row.answer)


def keeps_beginning(model: Any) -> bool:
    """Whether the model can keep what prompts begin with once: its logits on two short ones are the same, either way."""
    if not (takes_beginning(model) and attends_to_all(new_cache(model.config))):
        return False
    size = model.config.get_text_config().vocab_size
    tokens = [number * 7919 % size for number in range(MIN_SHARED + 9)]
    prompts = [tokens[: MIN_SHARED + 3], [*tokens[:MIN_SHARED], *tokens[MIN_SHARED + 3 :]]]
    try:
        kept_once, in_each = (_tried(model, prompts, once) for once in (True, False))
    except (TypeError, ValueError, RuntimeError, AttributeError, IndexError):
        return False  # it hands the beginning on to no layer, or its shapes are others: each has its own way to say so
    allowed = 1e-4 if model.dtype == torch.float32 else 0.05
    return bool((kept_once - in_each).abs().max() <= allowed * in_each.abs().max())


@torch.inference_mode()
def _tried(model: Any, prompts: Sequence[Sequence[int]], once: bool) -> torch.Tensor:
    """The logits after the prompts, and after one token more in each."""
    batch = _Batch(model, prompts, once=once)
    with batch.read_beginning():
        return torch.cat([batch.read_prompts(), batch.step([1] * len(prompts))]).float()


class _Batch:
    """The model, the cache, and which of its places hold tokens: [shared beginning | padding and rest | new tokens].

    Where the beginning is kept once, the cache and the mask start after it.
    """

    def __init__(self, model: Any, prompts: Sequence[Sequence[int]], *, once: bool) -> None:
        self._model, self._prompts, self._once = model, prompts, once
        self._device = model.device
        self._cache = new_cache(model.config)
        self._cache_word = cache_word(model)
        self._shared = shared_beginning(prompts) if attends_to_all(self._cache) else 0
        self._beginning: Beginning | None = None
        self._mask: torch.Tensor | None = None
        self._position = torch.zeros(0)

    def read_beginning(self) -> AbstractContextManager[None]:
        """Read what all prompts begin with; rows are read and answered within what it gives."""
        if not self._shared:
            return nullcontext()
        ids = torch.tensor([list(self._prompts[0][: self._shared])], device=self._device)
        self._forward(ids, torch.arange(self._shared, device=self._device)[None])
        if not self._once:
            self._cache.batch_repeat_interleave(len(self._prompts))
            return nullcontext()
        self._beginning = Beginning(self._cache)
        self._cache = new_cache(self._model.config)
        return attending(self._model)

    def read_prompts(self) -> torch.Tensor:
        """The logits [rows, vocabulary] after each prompt."""
        shared = self._shared
        rest = [prompt[shared:] for prompt in self._prompts]
        width = max(map(len, rest))
        pads = torch.tensor([width - len(ids) for ids in rest], device=self._device)[:, None]
        ids = torch.tensor([[0] * (width - len(ids)) + list(ids) for ids in rest], device=self._device)
        places = torch.arange(width, device=self._device)[None]
        # without any padding there is nothing to mask, and attention is faster for not being told
        self._mask = None
        if bool(pads.any()):
            cached = 0 if self._beginning else shared
            head = torch.ones(len(rest), cached, dtype=torch.long, device=self._device)
            self._mask = torch.cat([head, (places >= pads).long()], 1)
        self._position = shared + width - pads
        return self._forward(ids, shared + (places - pads).clamp(min=0))

    def step(self, tokens: list[int]) -> torch.Tensor:
        """The logits [rows, vocabulary] after one more token in each row."""
        ids = torch.tensor(tokens, device=self._device)[:, None]
        if self._mask is not None:
            self._mask = torch.nn.functional.pad(self._mask, (0, 1), value=1)
        positions = self._position
        self._position = positions + 1
        return self._forward(ids, positions)

    def keep(self, places: list[int]) -> None:
        """Drop all rows but those at these places."""
        index = torch.tensor(places, device=self._device)
        self._cache.batch_select_indices(index)
        self._position = self._position[index]
        if self._mask is not None:
            self._mask = self._mask[index]

    def _forward(self, ids: torch.Tensor, positions: torch.Tensor) -> torch.Tensor:
        seen: dict[str, Any] = {"attention_mask": self._mask}
        if self._beginning:
            self._beginning.seen = None if self._mask is None else self._mask.bool()
            seen = {"beginning": self._beginning}
        output = self._model(
            input_ids=ids,
            position_ids=positions,
            use_cache=True,
            logits_to_keep=1,
            **{self._cache_word: self._cache},
            **seen,
        )
        logits: torch.Tensor = output.logits
        return logits[:, -1]
