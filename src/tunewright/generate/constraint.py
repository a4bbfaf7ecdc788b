"""Answers held to a JSON Schema while they are written: tokens that would lead away from it cannot be drawn.

    constraint = Constraints(renderer).for_schema(schema)
    held = constraint.hold(rows=2)
    logits = held.mask(logits, [0, 1])      then draw, and tell it what was drawn:
    held.take([0, 1], tokens)

JSON is written as the rows' answers are (`", "` and `": "`, members in the order of the schema's `properties`), so an answer
is never led to a form that training did not show. The mask holds what is written so far, not that the end is reached: an
answer cut off by `max_new_tokens` is no JSON. The engine is llguidance, which refuses a schema that it cannot hold.
"""

import json
from collections.abc import Mapping, Sequence
from typing import Any

import torch

from tunewright.core.errors import ModelError
from tunewright.models.template import Renderer

_FORM: Any = {
    "whitespace_flexible": False, "whitespace_pattern": None, "item_separator": ", ", "key_separator": ": ",
    "lenient": False, "coerce_one_of": False,
}  # fmt: skip
"""What a schema may not say otherwise in its own `x-guidance`."""
_OFF = "Set decoding.constrained: false, or change the schema."


class Constraints:
    """Schemas made ready for one renderer's tokenizer, each once."""

    def __init__(self, renderer: Renderer) -> None:
        self._renderer = renderer
        self._tokenizer: Any = None
        self._ready: dict[str, Constraint] = {}

    def for_schema(self, schema: Mapping[str, Any]) -> "Constraint":
        """Raises ModelError where the schema, or this tokenizer, cannot be held to."""
        from llguidance.hf import from_tokenizer

        name = json.dumps(schema)  # a hash would not see the order of the properties
        if name not in self._ready:
            try:
                if self._tokenizer is None:
                    stops = sorted(self._renderer.stop_ids)
                    self._tokenizer = from_tokenizer(self._renderer.tokenizer, eos_token=stops)
            except Exception as error:
                message = f"The base's tokenizer cannot hold answers to a schema ({_line(str(error))})"
                raise ModelError(message, where="decoding.constrained", fix=_OFF) from error
            self._ready[name] = Constraint(self._tokenizer, schema)
        return self._ready[name]


class Constraint:
    """One schema, ready to hold answers to. Raises ModelError where it cannot be."""

    def __init__(self, tokenizer: Any, schema: Mapping[str, Any]) -> None:
        from llguidance import LLMatcher, LLParserLimits

        self._tokenizer = tokenizer
        grammar = LLMatcher.grammar_from_json_schema(dict(schema), overrides=_FORM)
        limits = LLParserLimits(verbose_errors=False)
        self._start = LLMatcher(tokenizer, grammar, log_level=0, limits=limits)
        problem = self._start.get_error() or "; ".join(self._start.get_grammar_warnings())
        if problem:
            message = f"answers cannot be held to this schema ({_line(problem)})"
            raise ModelError(message, where="task.output.schema", fix=_OFF)

    def hold(self, rows: int) -> "Held":
        """Of `rows` answers, nothing is written yet."""
        return Held([self._start.deep_copy() for _ in range(rows)], self._tokenizer.vocab_size)

    def fault(self, text: str) -> str | None:
        """Where a text is not what an answer held to the schema could be, in a few words; none where it could."""
        matcher = self._start.deep_copy()
        tokens = self._tokenizer.tokenize_str(text)
        taken = matcher.try_consume_tokens(tokens)
        if taken == len(tokens):
            return None if matcher.is_accepting() else "it ends too early"
        if matcher.is_error():
            return _given_up(matcher)
        good = self._tokenizer.decode_str(tokens[:taken])
        return (
            f"after {good[-30:]!r} comes {text[len(good) :][:20]!r}" if good else f"it begins {text[:20]!r}"
        )


class Held:
    """Answers that are being written, by their rows' numbers."""

    def __init__(self, matchers: list[Any], vocabulary: int) -> None:
        self._matchers, self._vocabulary = matchers, vocabulary

    def mask(self, logits: torch.Tensor, rows: Sequence[int]) -> torch.Tensor:
        """The logits [len(rows), vocabulary] with -inf for tokens that lead away from the schema.

        Where the engine has given up on a row, its stop token is all that is left.
        """
        from llguidance.numpy import allocate_token_bitmask, fill_next_token_bitmask

        bits = allocate_token_bitmask(len(rows), self._vocabulary)
        for place, row in enumerate(rows):
            fill_next_token_bitmask(self._matchers[row], bits, place)
        words = torch.from_numpy(bits).to(logits.device)
        allowed = (words[:, :, None] >> torch.arange(32, device=logits.device, dtype=torch.int32)) & 1
        # a model may have more outputs than the tokenizer has tokens
        known = allowed.flatten(1)[:, : min(self._vocabulary, logits.shape[-1])]
        barred = torch.nn.functional.pad(known, (0, logits.shape[-1] - known.shape[-1])) == 0
        return logits.masked_fill(barred, float("-inf"))

    def take(self, rows: Sequence[int], tokens: Sequence[int]) -> None:
        """What was drawn for these rows."""
        for row, token in zip(rows, tokens, strict=True):
            matcher = self._matchers[row]
            # stopped: the JSON is whole, and its stop token is all that the mask leaves
            if not matcher.is_stopped():
                matcher.consume_token(token)

    def problem(self, row: int) -> str | None:
        """Why the row's answer could not be held to the end, or none."""
        return _given_up(self._matchers[row]) if self._matchers[row].is_error() else None


def _given_up(matcher: Any) -> str:
    return f"the schema became too much to hold an answer to: {_line(matcher.get_error())}"


def _line(text: str) -> str:
    return " ".join(text.split())[:200]
