"""Draws into rows: chats rendered to tokens, packed several to a row, with the answers marked for the loss."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from tunewright.models.embedded.tokenizer import PAD, SPECIAL, TURN_END, TURN_START

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from tunewright.models.embedded.curriculum import Draw


@dataclass(frozen=True)
class Rows:
    """One batch, (n_rows, length) each: token ids, which tokens are learnt, and which chat of the row a token belongs to."""

    ids: np.ndarray
    learn: np.ndarray
    parts: np.ndarray


@dataclass(frozen=True)
class Rendered:
    """One chat as tokens; `learn` marks the answers and their end of turn."""

    ids: list[int]
    learn: list[bool]


class Renderer:
    """Renders chats exactly as the chat template does, faster and with the answers marked."""

    def __init__(self, tokenizer: Tokenizer):
        self.tokenizer = tokenizer
        self.pad, self._start, self._end = (SPECIAL.index(token) for token in (PAD, TURN_START, TURN_END))
        self._heads = {role: self.encode(f"{role}\n") for role in ("system", "user", "assistant", "tool")}
        self._line = self.encode("\n")

    def render(self, messages: tuple[tuple[str, str], ...], given: int = 0) -> Rendered:
        """A chat as tokens; the first `given` messages are context and never learnt."""
        ids: list[int] = []
        learn: list[bool] = []
        texts = self.tokenizer.encode_batch_fast([text for _, text in messages], add_special_tokens=False)
        for place, ((role, _), encoding) in enumerate(zip(messages, texts, strict=True)):
            head = [self._start, *self._heads[role]]
            body = [*encoding.ids, self._end]
            ids += [*head, *body, *self._line]
            answer = role == "assistant" and place >= given
            learn += [False] * len(head) + [answer] * len(body) + [False] * len(self._line)
        return Rendered(ids, learn)

    def prompt(self, messages: tuple[tuple[str, str], ...]) -> list[int]:
        """The tokens of a chat up to where the assistant's next answer begins."""
        return [*self.render(messages).ids, self._start, *self._heads["assistant"]]

    def opening(self, role: str) -> list[int]:
        """The tokens that open a turn."""
        return [self._start, *self._heads[role]]

    @property
    def closing(self) -> list[int]:
        """The tokens that close a turn."""
        return [self._end, *self._line]

    def encode(self, text: str) -> list[int]:
        """The tokens of a piece of text."""
        return list(self.tokenizer.encode(text, add_special_tokens=False).ids)


def pack(chats: list[Rendered], n_rows: int, length: int, pad: int) -> Rows:
    """First-fit packing, longest first; chats that fit nowhere are left out."""
    ids = np.full((n_rows, length), pad, dtype=np.int64)
    learn = np.zeros((n_rows, length), dtype=bool)
    parts = np.full((n_rows, length), -1, dtype=np.int64)
    used = [0] * n_rows
    for number, chat in enumerate(sorted(chats, key=lambda chat: -len(chat.ids))):
        size = len(chat.ids)
        row = next((row for row in range(n_rows) if used[row] + size <= length), None)
        if row is None:
            continue
        span = slice(used[row], used[row] + size)
        ids[row, span], learn[row, span], parts[row, span] = chat.ids, chat.learn, number
        used[row] += size
    return Rows(ids, learn, parts)


def draw_rows(renderer: Renderer, draws: list[Draw], n_rows: int, length: int) -> Rows:
    """A batch of chats; those longer than a row are left out."""
    chats = [renderer.render(draw.messages, draw.given) for draw in draws]
    return pack([chat for chat in chats if len(chat.ids) <= length], n_rows, length, renderer.pad)
