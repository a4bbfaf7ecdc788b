"""Picking the next token: the likeliest, or a draw from a row's own stream of chance."""

import random
from collections.abc import Sequence

import torch

from tunewright.core.generation import Decoding
from tunewright.core.hashing import hash_value
from tunewright.generate.constraint import Held


class Picker:
    """Picks tokens for a batch by one decoding.

    Each row draws from a generator seeded by the decoding's seed and the row's prompt, so a row's answer does not hang
    on which rows share its batch.
    """

    def __init__(
        self, decoding: Decoding, prompts: Sequence[Sequence[int]], held: Held | None = None
    ) -> None:
        self._decoding, self._held = decoding, held
        seeds = (
            [hash_value([decoding.seed, list(prompt)]) for prompt in prompts] if decoding.temperature else []
        )
        self._chances = [random.Random(seed) for seed in seeds]

    def __call__(self, logits: torch.Tensor, rows: Sequence[int]) -> list[int]:
        """One token for each of `rows`, whose logits are the rows of `logits` [len(rows), vocabulary]."""
        if self._held is None:
            return self._draw(logits, rows)
        tokens = self._draw(self._held.mask(logits, rows), rows)
        self._held.take(rows, tokens)
        return tokens

    def _draw(self, logits: torch.Tensor, rows: Sequence[int]) -> list[int]:
        if not self._decoding.temperature:
            return logits.argmax(-1).tolist()
        draws = torch.tensor([[self._chances[row].random()] for row in rows], dtype=torch.float64)
        return draw(logits.cpu(), draws, self._decoding.temperature, self._decoding.top_p).tolist()


def draw(logits: torch.Tensor, draws: torch.Tensor, temperature: float, top_p: float) -> torch.Tensor:
    """Tokens [rows] drawn from logits [rows, vocabulary] by uniform draws [rows, 1], through the inverse of the CDF.

    Nucleus sampling (arXiv:1904.09751): only the smallest set of tokens with probability `top_p` is drawn from.
    """
    probabilities, tokens = (logits.double() / temperature).softmax(-1).sort(descending=True, stable=True)
    before = probabilities.cumsum(-1) - probabilities
    kept = probabilities.masked_fill(before >= top_p, 0.0)
    kept[:, 0] = probabilities[:, 0]
    reached = kept.cumsum(-1)
    index = torch.searchsorted(reached, draws * reached[:, -1:], right=True)
    last = (kept > 0).sum(-1, keepdim=True) - 1
    return tokens.gather(-1, index.minimum(last)).squeeze(-1)
