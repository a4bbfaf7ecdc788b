"""Drawing a value by its weight. The order in which values are written plays no part: no hash of settings sees it."""

import random
from collections.abc import Mapping, Sequence
from itertools import accumulate

from pydantic import JsonValue

from tunewright.core.hashing import canonical_json


def draw(values: Sequence[JsonValue] | Mapping[str, float], chance: random.Random) -> JsonValue:
    """One of the values, by weights where they have some, of which one at least is above 0."""
    if not isinstance(values, Mapping):
        return chance.choice(list(values))
    names = sorted(values, key=canonical_json)
    sums = list(accumulate(values[name] for name in names))
    at = chance.random() * sums[-1]
    return next(name for name, reached in zip(names, sums, strict=True) if at < reached)
