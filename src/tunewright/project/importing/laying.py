"""A data set's parts become sources, a line tells of each key that names them, and samples of them go into the recipe."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple

from tunewright.data.source_spec import HUB
from tunewright.project.importing.carried import SAYS_NOTHING, Fate, Ledger
from tunewright.project.importing.naming import slug, unique
from tunewright.project.importing.part import Draw, Part, name_of, slices_known
from tunewright.project.importing.place import Data
from tunewright.project.importing.trial import checked

_DRAWN = "a seeded sample of as many rows, not the first"
_ALL = "all its rows are read: a recipe can sample them"

Draws = dict[tuple[str, ...], Draw]
"""Sources → the sample that is drawn of their rows, of all of them together."""


class Laid(NamedTuple):
    """A source that was laid in."""

    name: str
    data: Data
    part: Part
    note: str
    """What was seen of its rows."""

    @property
    def fate(self) -> Fate:
        """Whether the rows are where the config says."""
        return "changed" if self.data.note else "carried"


def lay_parts(
    parts: Iterable[Part],
    find: Callable[[Part], Data],
    said: Mapping[str, Any],
    name: str,
    sources: dict[str, Any],
) -> list[Laid]:
    """A source for each part of a data set, one at least; one alone where its rows have no parts: a file has no splits.

    `said` is what the config says of the rows (trial.checked).
    """
    found: list[Laid] = []
    for part in parts:
        data = find(part)
        source = unique(slug(name), sources)
        sources[source], note = checked(data, said)
        found.append(Laid(source, data, part, note))
        if "hub" not in data.source:
            break
    return found


def part_draws(parts: list[Part], laid: list[Laid]) -> Draws:
    """The samples that the parts' slices are; none where the parts are not sources each."""
    if len(laid) != len(parts):
        return {}
    return {(one.name,): one.part.draw for one in laid if one.part.draw}


def tell_part(
    ledger: Ledger, at: str, keys: Mapping[str, str], values: Mapping[str, Any], laid: Laid, drawn: bool
) -> None:
    """A line for each key that says which rows are meant; `keys` is our word (config, split, revision) → theirs.

    `laid` is the data set's first source, and `drawn` says whether the samples are laid that a split's slices are.
    """
    for word, key in keys.items():
        if key in values:
            _tell(ledger, f"{at}.{key}", word, values[key], laid, drawn)


def _tell(ledger: Ledger, key: str, word: str, value: Any, laid: Laid, drawn: bool) -> None:
    sliced = word == "split" and isinstance(value, str) and "[" in value
    sampled = drawn and sliced and slices_known(value)
    if value in (None, "", [], {}):
        ledger.leave(key, value, SAYS_NOTHING)
    elif not all(map(name_of, value if isinstance(value, list) else [value])):
        ledger.leave(key, value, "it is no name")
    elif word in laid.data.source.get("hub", {}):
        why = (_DRAWN if sampled else _ALL) if sliced else ""
        to = f"sources.{laid.name}.hub.{word}" + (", recipe" if sampled else "")
        ledger.tell(key, value, "changed" if sliced else "carried", to, why)
    elif sampled:
        ledger.tell(key, value, "changed", "recipe", _DRAWN)
    elif sliced:
        ledger.leave(key, value, _ALL)
    elif word == "split" and value == "train":
        ledger.tell(key, value, "carried", "always so", "all rows of the source are read")
    elif word == "revision":
        ledger.leave(key, value, "the source's files are known by their content")
    else:
        ledger.leave(key, value, _way_out(word, laid.data))


def _way_out(word: str, data: Data) -> str:
    """How a source comes to hold the rows of a configuration or a split alone."""
    what = {"config": "configuration"}.get(word, word)
    if str(data.source["path"]).startswith(HUB):
        return f"name the files of that {what} in the path"
    if data.file is not None:
        return f"make a file of the rows of that {what}"
    return f"save the rows that are meant as {data.source['path']}, and no others"


def lay_samples(ledger: Ledger, draws: Draws) -> None:
    """Put the samples of sources before the recipe's first operation. To be called when the recipe is laid."""
    if not draws:
        return
    recipe = ledger.get("recipe")
    ops = [{"op": "drop_duplicates"}] if recipe is None else list(recipe)
    sources = list(ledger.values["sources"])
    ids: dict[str, str] = {}
    samples = []
    for names, draw in draws.items():
        taken = unique(f"some-{names[0]}", {*sources, *ids.values()})
        ids |= dict.fromkeys(names, taken)
        samples.append({**draw.op, "id": taken, "needs": list(names)})
    ends = list(dict.fromkeys(ids.get(source, source) for source in sources))
    if not ops and len(ends) > 1:
        ops = [{"op": "filter", "keep": "true"}]  # takes them all, and keeps them
    if ops:
        ops[0] = {**ops[0], "needs": ends}
    ledger.lay("recipe", [*samples, *ops])
