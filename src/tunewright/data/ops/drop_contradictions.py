"""drop_contradictions: rows with the same prompt, system message and all, that answer differently all go."""

from collections import defaultdict
from collections.abc import Iterator
from typing import Literal

from tunewright.core.hashing import hash_value
from tunewright.data.normal import normal_text, prompt_key
from tunewright.data.ops.op import OpSpec, Rows, Said, judged


class DropContradictions(OpSpec):
    """Drop every row whose whole prompt, system message and all, appears with different answers."""

    op: Literal["drop_contradictions"] = "drop_contradictions"
    """Chooses this op."""


def apply(spec: DropContradictions, rows: Rows) -> Iterator[Said]:
    """Drop every row whose normalised prompt has more than one normalised answer."""
    answers: dict[bytes, set[bytes]] = defaultdict(set)
    for row in rows:
        if row.desirable:  # a bad answer beside a good one is what ratings are for
            answers[_key(prompt_key(row))].add(_key(hash_value(normal_text(row.expected))))
    for row in rows:
        different = len(answers[_key(prompt_key(row))])
        yield judged(row, f"its prompt has {different} different answers" if different > 1 else None)


def _key(digest: str) -> bytes:
    return bytes.fromhex(digest)
