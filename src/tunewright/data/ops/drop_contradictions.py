"""drop_contradictions: rows with the same prompt, system message and all, that answer differently all go."""

from collections.abc import Callable, Iterator
from typing import Literal, NamedTuple

from tunewright.core.example import Example
from tunewright.core.hashing import hash_value
from tunewright.data.normal import normal_text, prompt_key
from tunewright.data.ops.op import OpSpec, Rows

_KEY = 16
"""Bytes of a hash that are kept."""


class DropContradictions(OpSpec):
    """Drop every row whose whole prompt, system message and all, appears with different answers."""

    op: Literal["drop_contradictions"] = "drop_contradictions"
    """Chooses this op."""


class _Looked(NamedTuple):
    prompts: bytes
    answers: bytes
    good: bytes


def look(spec: DropContradictions) -> Callable[[list[Example]], _Looked]:
    """Hashes of the rows' normalised prompts and answers, and whether the answers are good ones."""

    def looked(rows: list[Example]) -> _Looked:
        return _Looked(
            b"".join(_key(prompt_key(row)) for row in rows),
            b"".join(_key(hash_value(normal_text(row.expected))) for row in rows),
            bytes(row.desirable for row in rows),  # a bad answer beside a good one is what ratings are for
        )

    return looked


def judge(spec: DropContradictions, looks: Iterator[_Looked], rows: Rows) -> Iterator[str | None]:
    """Drop every row whose normalised prompt has more than one normalised answer."""
    import numpy as np

    some = list(looks)
    prompts, answers = (
        np.frombuffer(b"".join(getattr(one, name) for one in some), f"S{_KEY}")
        for name in ("prompts", "answers")
    )
    good = np.frombuffer(b"".join(one.good for one in some), np.bool_)
    _, prompt = np.unique(prompts, return_inverse=True)
    known, answer = np.unique(answers, return_inverse=True)
    pairs = np.unique(prompt[good] * len(known) + answer[good]) // max(len(known), 1)
    different = np.bincount(pairs, minlength=len(prompts) + 1)[prompt]
    for count in different.tolist():
        yield f"its prompt has {count} different answers" if count > 1 else None


def _key(digest: str) -> bytes:
    return bytes.fromhex(digest)[:_KEY]
