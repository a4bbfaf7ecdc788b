"""Split: rows into train, dev and test, so that rows with equal inputs never straddle.

Rows that ask the same (`data/inputs.py`), or share a value of `group_by`, form a group, and groups are dealt out in the
order of a hash of seed and group: the order of the rows plays no part, and a few rows more move few others. A column that
says the part is followed, and refused where it parts equal inputs. Inside a part, rows stand in the order of a hash too,
so that the first N are a fair sample.
"""

from collections import Counter, defaultdict
from typing import NamedTuple

from tunewright.core.errors import DataError
from tunewright.core.example import Example
from tunewright.core.hashing import canonical_json, hash_value
from tunewright.data.inputs import input_keys
from tunewright.data.names import did_you_mean, listed
from tunewright.data.parts import PARTS, Part, part_named
from tunewright.data.spec import SplitSpec
from tunewright.data.straddle import refuse_repeats, refuse_straddling


class Split(NamedTuple):
    """The three parts."""

    train: list[Example]
    dev: list[Example]
    test: list[Example]


def split(examples: list[Example], spec: SplitSpec) -> Split:
    """Share out the examples.

    Raises DataError when a part would be empty, a column says something else or parts equal inputs, or dev or test
    would hold the same messages twice.
    """
    by_part = _by_column(examples, spec.column) if spec.column else _by_shares(examples, spec)
    refuse_repeats(by_part)
    return Split(*(_shuffled(by_part[part], spec.seed) for part in PARTS))


def _by_column(examples: list[Example], column: str) -> dict[Part, list[Example]]:
    parts: dict[Part, list[Example]] = {part: [] for part in PARTS}
    for example in examples:
        _need_field(example, column, "split.column")
        value = example.fields[column]
        part = part_named(value)
        if part is None:
            raise DataError(
                f"the column {column!r} says {value!r}; a part is train, dev (or validation) or test.",
                where=example.place,
                fix="Rename the parts in the data, or leave split.column out and split by shares.",
            )
        parts[part].append(example)
    absent = [part for part in PARTS if not parts[part]]
    if absent:
        raise DataError(
            f"the column {column!r} puts no row into {' and '.join(absent)}.",
            where="split.column",
            fix="Mark some rows for each part, or leave split.column out and split by shares.",
        )
    refuse_straddling(parts, column)
    return parts


def _by_shares(examples: list[Example], spec: SplitSpec) -> dict[Part, list[Example]]:
    groups = _groups(examples, spec.group_by)
    if len(groups) < len(PARTS):
        by = f" and the field {spec.group_by!r}" if spec.group_by else ""
        raise DataError(
            f"train, dev and test need at least 3 groups of rows; by equal inputs{by} these {len(examples)} rows "
            f"make {len(groups)}.",
            where="split",
            fix="Add rows with other inputs; 30 is the least that gives three parts of any use.",
        )
    order = sorted(groups, key=lambda key: hash_value([spec.seed, key]))
    left = {key: len(groups[key]) for key in order}
    parts: dict[Part, list[str]] = {"test": _take(left, spec.test * len(examples), 2)}
    parts["dev"] = _take(left, spec.dev * len(examples), 1)
    parts["train"] = list(left)
    return {part: [example for key in parts[part] for example in groups[key]] for part in PARTS}


def _take(left: dict[str, int], target: float, reserve: int) -> list[str]:
    """Take groups out of `left`, in order, as near to `target` rows as they allow: at least one, and `reserve` stay."""
    taken, rows = [], 0
    for key, size in list(left.items()):
        if len(left) <= reserve:
            break
        if abs(rows + size - target) < abs(rows - target):
            taken.append(key)
            rows += left.pop(key)
    if not taken:
        smallest = min(left, key=left.__getitem__)
        del left[smallest]
        taken.append(smallest)
    return taken


def _groups(examples: list[Example], group_by: str | None) -> dict[str, list[Example]]:
    """Rows by group; a group goes by its smallest key, which the order of the rows does not change."""
    parent: dict[str, str] = {}

    def find(key: str) -> str:
        while parent.setdefault(key, key) != key:
            parent[key] = parent[parent[key]]
            key = parent[key]
        return key

    if group_by and examples and not any(group_by in example.fields for example in examples):
        _need_field(examples[0], group_by, "split.group_by")
    keys = input_keys(examples)
    for example, key in zip(examples, keys, strict=True):
        roots = [find(key)]
        value = example.fields.get(group_by) if group_by else None
        if value is not None and value != "":  # a blank ties no rows together
            roots.append(find(f"field {canonical_json(value)}"))
        parent[max(roots)] = min(roots)
    groups: dict[str, list[Example]] = defaultdict(list)
    for example, key in zip(examples, keys, strict=True):
        groups[find(key)].append(example)
    return groups


def _need_field(example: Example, name: str, where: str) -> None:
    if name not in example.fields:
        hint = did_you_mean(name, example.fields)
        raise DataError(
            f"the row {example.place} has no field {name!r}; its fields are {listed(example.fields)}.",
            where=where,
            fix=hint or "Name a column of the sources (input and expected are none).",
        )


def _shuffled(examples: list[Example], seed: int) -> list[Example]:
    seen: Counter[str] = Counter()
    keyed = []
    for example in sorted(examples, key=lambda example: example.place):
        seen[example.id] += 1
        keyed.append((hash_value([seed, example.id, seen[example.id]]), example))
    return [example for _, example in sorted(keyed, key=lambda pair: pair[0])]
