"""How unlikely answers are to a base as it is: their perplexity, exp of the mean negative log-likelihood of a token.

    measured = Perplexity(resolve_base("embedded", root), system)
    measured.of(rows)                                   # [1.8, 240.3, …]

The rows are rendered as they would be trained, and of a conversation the last answer alone counts (its end-of-turn token
too), of a document every token but the first. Of a row that is longer than the base takes, a window around the answer's
beginning is read.
"""

import math
from collections.abc import Sequence
from typing import cast

from tunewright.core.errors import ModelError
from tunewright.core.example import Example
from tunewright.core.message import last_answer_trained, with_system
from tunewright.models.base import Base
from tunewright.models.load import base_positions, load_model, load_tokenizer
from tunewright.models.template import Renderer
from tunewright.train.pack import Row, Tree, fill, pack
from tunewright.train.policy import Policy

TOKENS = 4096
"""Tokens of a batch, and the most of a row."""
_MOST = 700.0
"""Nats; exp of more is no number."""


class Perplexity:
    """A base, loaded to measure rows."""

    def __init__(self, base: Base, system: str) -> None:
        """Raises ModelError where the base cannot be loaded. `system` stands before rows without instructions."""
        self._renderer = Renderer(load_tokenizer(base))
        self._room = min(base_positions(base) or TOKENS, TOKENS)
        self._model = load_model(base)
        self._system = system
        self._policy: Policy | None = None

    def of(self, rows: Sequence[Example]) -> list[float]:
        """Each row's perplexity, in order. Raises ModelError with the place of a row that the template refuses."""
        trees = [Tree((self._row(row),)) for row in rows]
        self._policy = self._policy or Policy(self._model, trees)
        lengths = [tree.tokens for tree in trees]
        order = sorted(range(len(trees)), key=lengths.__getitem__)
        found = dict[int, float]()
        for group in fill(lengths, order, TOKENS):
            values = self._policy.still_logprobs(pack([trees[at] for at in group]))
            found |= zip(group, cast("list[float]", values.tolist()), strict=True)
        counts = [tree.rows[0].trained for tree in trees]
        return [math.exp(min(-found[at] / max(count, 1), _MOST)) for at, count in enumerate(counts)]

    def _row(self, example: Example) -> Row:
        try:
            if example.is_document:
                rendered = self._renderer.document(example.expected)
            else:
                talk = last_answer_trained(with_system(example.messages, self._system))
                rendered = self._renderer.training(talk)
        except ModelError as error:
            raise ModelError(error.message, where=example.place, fix=error.fix) from None
        row = Row(example.id, *rendered)
        start = max(0, min(row.prompt - self._room // 2, len(row.ids) - self._room))
        window = slice(start, start + self._room)
        return Row(row.id, row.ids[window], row.mask[window])
