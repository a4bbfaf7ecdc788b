"""sample: a seeded random sample, in the order the rows had."""

from collections import Counter

from tunewright.core.example import Example
from tunewright.core.hashing import hash_value
from tunewright.data.ops.applied import Applied
from tunewright.data.spec import Sample


def apply(spec: Sample, examples: list[Example]) -> Applied:
    """Keep the `rows` examples whose hash with the seed is smallest: a row's chance does not hang on the row order."""
    seen: Counter[str] = Counter()
    draws = []
    for at, example in enumerate(examples):
        seen[example.id] += 1
        draws.append((hash_value([spec.seed, example.id, seen[example.id]]), at))
    chosen = {at for _, at in sorted(draws)[: spec.rows]}
    return Applied(
        [example for at, example in enumerate(examples) if at in chosen],
        [(example.place, "not drawn") for at, example in enumerate(examples) if at not in chosen],
    )
