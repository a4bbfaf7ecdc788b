"""Which rows of a data set a config asks for: a configuration, a split, a revision, a slice of the split.

    parts_of(None, "train[:500]", None)    [Part(split="train", draw=Draw("rows", 500))]

A slice is the first rows there; here it is a seeded sample of as many, in the recipe.
"""

import re
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from tunewright.data.ops.sample import Sample

_BOUND = r"(?:(-?\d{1,15})(%?))?"
_SPLIT = re.compile(rf"([^\[\]:%]+)\[{_BOUND}:{_BOUND}\]")


class Draw(NamedTuple):
    """A sample of a data set's rows."""

    of: Literal["rows", "share"]
    amount: float

    @property
    def op(self) -> dict[str, Any]:
        """The operation that draws it."""
        return {"op": "sample", self.of: int(self.amount) if self.of == "rows" else self.amount}

    @property
    def is_known(self) -> bool:
        """Whether the recipe has such a sample."""
        try:
            Sample.model_validate(self.op)
        except ValidationError:
            return False
        return True


class Part(NamedTuple):
    """Which rows are asked for; empty where the config does not say."""

    config: str = ""
    split: str = ""
    revision: str = ""
    draw: Draw | None = None

    @property
    def hub(self) -> dict[str, str]:
        """What the project file says of them under `hub:`."""
        words = {"config": self.config, "split": self.split, "revision": self.revision}
        return {word: value for word, value in words.items() if value}


ALL = Part()
"""All rows that a data set has for training."""


def parts_of(config: Any, split: Any, revision: Any) -> list[Part]:
    """The parts that a data set's keys name, one at least: configurations may be listed, splits added up (`train+test`)."""
    configs = [*filter(None, map(name_of, config if isinstance(config, list) else [config]))] or [""]
    splits = [_split(each) for each in name_of(split).split("+")]
    return [Part(one, name, name_of(revision), draw) for one in configs for name, draw in splits]


def slices_known(split: str) -> bool:
    """Whether each slice of a split (`train[:5]+test`) is a sample that the recipe has."""
    return all(_split(each)[1] for each in split.split("+") if "[" in each)


def name_of(value: Any) -> str:
    """A config's value as a name; empty where it is none."""
    known = isinstance(value, str | int) and not isinstance(value, bool)
    return " ".join(str(value).split()) if known else ""


def _split(text: str) -> tuple[str, Draw | None]:
    """A split's name, and the sample that its slice is: `train[:10%]`, `train[500:]`; none where it is no such slice."""
    text = text.strip()
    found = _SPLIT.fullmatch(text)
    if found is None:
        return text.partition("[")[0].strip() or text, None
    name, begin, begins, end, ends = found.groups(default="")
    draw = _shares(begin, end) if "%" in (begins, ends) else _rows(begin, end)
    mixed = bool(begin and end) and begins != ends
    return name.strip(), draw if draw and draw.is_known and not mixed else None


def _shares(begin: str, end: str) -> Draw:
    shares = int(begin or 0) / 100, int(end or 100) / 100
    low, high = (share + 1 if share < 0 else share for share in shares)
    return Draw("share", round(min(high, 1) - max(low, 0), 6))


def _rows(begin: str, end: str) -> Draw | None:
    first, last = (int(each) if each else None for each in (begin, end))
    rows = -first if first is not None and first < 0 and last is None else (last or 0) - (first or 0)
    counted = rows > 0 and (first is None or first >= 0 or last is None)
    return Draw("rows", rows) if counted else None
