"""Which rows of a data set a config asks for: a configuration, a split, a revision, a slice of the split.

    parts_of(None, "train[:500]", None)    [Part(split="train", draw=Draw("rows", 500))]

A slice is the first rows there; here it is a seeded sample of as many, in the recipe.
"""

import re
from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import ValidationError

from tunewright.data.ops.sample import Sample
from tunewright.project.importing.carried import SAYS_NOTHING, Ledger
from tunewright.project.importing.naming import unique

_SPLIT = re.compile(r"([^\[\]:%]+)(?:\[(-?\d*)(%?):(-?\d*)(%?)\])?")
_DRAWN = "a seeded sample of as many rows, not the first"
_ALL = "all its rows are read: a recipe can sample them"


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
    configs = [*filter(None, map(_name, config if isinstance(config, list) else [config]))] or [""]
    splits = [_split(each) for each in _name(split).split("+")]
    return [
        Part(one, name, _name(revision), draw if draw and draw.is_known else None)
        for one in configs
        for name, draw in splits
    ]


def tell_part(
    ledger: Ledger,
    at: str,
    keys: Mapping[str, str],
    values: Mapping[str, Any],
    source: Mapping[str, Any],
    name: str,
) -> None:
    """A line for each key that says which rows are meant; `keys` is our word (config, split, revision) → theirs."""
    for word, key in keys.items():
        if key in values:
            _tell(ledger, f"{at}.{key}", word, values[key], source, name)


def _tell(ledger: Ledger, key: str, word: str, value: Any, source: Mapping[str, Any], name: str) -> None:
    path, hub = str(source["path"]), source.get("hub", {})
    sliced = word == "split" and isinstance(value, str) and "[" in value
    draws = [part.draw for part in parts_of(None, value, None)] if sliced else []
    if value in (None, "", [], {}):
        ledger.leave(key, value, SAYS_NOTHING)
    elif not all(map(_name, value if isinstance(value, list) else [value])):
        ledger.leave(key, value, "it is no name")
    elif word in hub:
        why, to = (_DRAWN if all(draws) else _ALL) if sliced else "", f"sources.{name}.hub.{word}"
        ledger.tell(
            key,
            value,
            "changed" if sliced else "carried",
            f"{to}, recipe" if all(draws) and draws else to,
            why,
        )
    elif sliced and all(draws):
        ledger.tell(key, value, "changed", "recipe", _DRAWN)
    elif sliced:
        ledger.leave(key, value, _ALL)
    elif word == "split" and value == "train":
        ledger.tell(key, value, "carried", "always so", "all rows of the source are read")
    elif word == "revision":
        ledger.leave(key, value, "the source's files are known by their content")
    else:
        ledger.leave(key, value, f"save the rows that are meant as {path}, and no others")


def lay_samples(ledger: Ledger, draws: Mapping[str, Draw]) -> None:
    """Put the samples of single sources before the recipe's first operation. To be called when the recipe is laid."""
    if not draws:
        return
    recipe = ledger.get("recipe")
    ops = [{"op": "drop_duplicates"}] if recipe is None else list(recipe)
    sources = list(ledger.values["sources"])
    ids: dict[str, str] = {}
    for source in draws:
        ids[source] = unique(f"some-{source}", {*sources, *ids.values()})
    samples = [{**draw.op, "id": ids[source], "needs": [source]} for source, draw in draws.items()]
    if not ops and len(sources) > 1:
        ops = [{"op": "filter", "keep": "true"}]  # takes them all, and keeps them
    if ops:
        ops[0] = {**ops[0], "needs": [ids.get(source, source) for source in sources]}
    ledger.lay("recipe", [*samples, *ops])


def _name(value: Any) -> str:
    """A name as text; empty where it is none."""
    known = isinstance(value, str | int) and not isinstance(value, bool)
    return " ".join(str(value).split()) if known else ""


def _split(text: str) -> tuple[str, Draw | None]:
    """A split's name, and the sample that its slice is: `train[:10%]`, `train[500:]`."""
    found = _SPLIT.fullmatch(text.strip())
    if found is None:
        return text.strip(), None
    name, begin, begins, end, ends = found.groups(default="")
    if "%" in (begins, ends):
        shares = int(begin or 0) / 100, int(end or 100) / 100
        low, high = (share + 1 if share < 0 else share for share in shares)
        share = round(min(high, 1) - max(low, 0), 6)
        return name, Draw("share", share) if 0 < share < 1 else None
    first, last = (int(each) if each.strip("-") else None for each in (begin, end))
    rows = -first if first is not None and first < 0 and last is None else (last or 0) - (first or 0)
    counted = rows > 0 and (first is None or first >= 0 or last is None)
    return name, Draw("rows", rows) if counted else None
