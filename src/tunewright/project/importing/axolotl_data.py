"""Axolotl's data sets: `datasets` and `pretraining_dataset` become sources, their types forms."""

from collections.abc import Mapping
from functools import partial
from typing import Any, NamedTuple

from tunewright.core.errors import UserError
from tunewright.project.importing.axolotl_forms import Entry, said_of
from tunewright.project.importing.carried import Ledger
from tunewright.project.importing.laying import Draws, Laid, lay_parts, part_draws, tell_part
from tunewright.project.importing.part import Draw, Part, parts_of
from tunewright.project.importing.place import Place, find_data, find_files
from tunewright.project.importing.rules import whole

_PARTS = {"config": "name", "split": "split", "revision": "revision"}
"""Our word for which rows are meant → the data set's key."""


def read_datasets(ledger: Ledger, place: Place) -> Draws:
    """Lay the data sets in as sources; of which of them a sample is meant. Raises UserError where not one can be laid in."""
    entries: list[Entry] = []
    for key in ("pretraining_dataset", "datasets"):
        found = ledger.config.get(key)
        given = found if isinstance(found, list) else [] if found is None else [found]
        for number, entry in enumerate(given):
            values = entry if isinstance(entry, dict) else {"path": str(entry)}
            if key == "pretraining_dataset":
                values = {"type": "pretrain", **values}
                if not isinstance(entry, dict):
                    ledger.tell(key, entry, "carried", "sources", "")
            entries.append(Entry(f"{key}[{number}]", values))
    sources: dict[str, Any] = {}
    draws: Draws = {}
    for entry in entries:
        _source(entry, ledger, place, sources, draws)
        ledger.leave_rest(entry.at, entry.values)
    if not sources:
        whys = [
            f"{line.key}: {line.why}"
            for line in ledger.lines
            if line.fate == "without" and any(key in line.key for key in ("].type", "].data_files"))
        ]
        raise UserError(
            "the config has no data set that can be a source" + "".join(f" ({why})" for why in whys[:1]),
            where=str(place.config),
            fix="Name files of texts or conversations under datasets.",
        )
    ledger.values["sources"] = sources
    forms = [_name(source.get("form")) for source in sources.values()]
    if ledger.config.get("rl") is None and all(name == "completion" for name in forms):
        ledger.lay("train.method", "cpt")
    return draws


def _name(form: Any) -> str | None:
    return form if isinstance(form, str) or form is None else str(form["name"])


def _source(entry: Entry, ledger: Ledger, place: Place, sources: dict[str, Any], draws: Draws) -> None:
    """One data set as a source, or several where it names several files, configurations or splits."""
    values = entry.values
    known = {"path", "data_files", *_PARTS.values()} | ({"shards"} if _shards(values) else set())
    said = said_of(entry, known, ledger)
    path, files = values.get("path"), _files(values)
    named = all(isinstance(name, str) and name for _, names in files for name in names)
    if not isinstance(path, str) or not path or not named:
        ledger.leave(f"{entry.at}.path", path, "it names no file and no data set")
    elif said is None:
        ledger.leave(f"{entry.at}.path", path, "its rows cannot be carried")
    elif missing := [part.split or "train" for part, names in files if not names]:
        why = f"it has no files of the split {missing[0]}"
        ledger.leave(f"{entry.at}.data_files", values["data_files"], why)
        ledger.leave(f"{entry.at}.path", path, "see its data_files")
    else:
        _lay(entry, said, files, ledger, place, sources, draws)
        return
    for key in (*_PARTS.values(), "shards"):
        if key in values and (key != "shards" or _shards(values)):
            ledger.leave(f"{entry.at}.{key}", values[key], "see its path")


def _files(values: Mapping[str, Any]) -> list[tuple[Part, list[Any]]]:
    """The files that a data set names; of files by split, those of each split that is asked for, or none there.

    Files that are of no split have one part: what splits add up is in them already.
    """
    files = values.get("data_files")
    if not files:
        return []
    parts = parts_of(None, values.get("split"), values.get("revision"))
    if isinstance(files, dict):
        return [(part, _listed(files.get(part.split or "train"))) for part in parts]
    return [(parts[0] if len(parts) == 1 else parts[0]._replace(draw=None), _listed(files))]


def _listed(files: Any) -> list[Any]:
    return files if isinstance(files, list) else [files] if files else []


class _Group(NamedTuple):
    """Sources that a split's slice is drawn from together."""

    laid: list[Laid]
    slice: Draw | None


def _lay(
    entry: Entry,
    said: Mapping[str, Any],
    files: list[tuple[Part, list[Any]]],
    ledger: Ledger,
    place: Place,
    sources: dict[str, Any],
    draws: Draws,
) -> None:
    values, path = entry.values, str(entry.values["path"])
    groups = (
        [_of_files(path, part, names, said, place, sources) for part, names in files]
        if files
        else _of_parts(path, values, said, place, sources)
    )
    names = [name for _, each in files for name in each]
    laid = [one for group in groups for one in group.laid]
    for number, one in enumerate(laid):
        at, what = ("data_files", names[number]) if files else ("path", one.part.config or path)
        ledger.tell(f"{entry.at}.{at}", what, one.fate, f"sources.{one.name}.path", one.note)
    if files:
        ledger.tell(f"{entry.at}.path", path, "carried", "sources", "see its data_files")
    drawn = [_draw(group.slice, _shards(values)) for group in groups]
    for group, draw in zip(groups, drawn, strict=True):
        if draw:
            draws[tuple(one.name for one in group.laid)] = draw
    _tell_split(entry, laid[0], any(group.slice for group in groups), ledger)
    if not _shards(values):
        return
    if all(draw != group.slice for group, draw in zip(groups, drawn, strict=True)):
        why = "a seeded sample of that share"
        ledger.tell(f"{entry.at}.shards", values["shards"], "changed", "recipe", why)
    else:
        ledger.leave(f"{entry.at}.shards", values["shards"], "no sample is so small")


def _of_files(
    path: str,
    part: Part,
    names: list[str],
    said: Mapping[str, Any],
    place: Place,
    sources: dict[str, Any],
) -> _Group:
    """The files of a split, a source each."""
    group = _Group([], part.draw)
    for name in names:
        find = partial(find_files, path, name, place)
        group.laid.extend(lay_parts([part], find, said, _last(path), sources))
    return group


def _of_parts(
    path: str, values: Mapping[str, Any], said: Mapping[str, Any], place: Place, sources: dict[str, Any]
) -> list[_Group]:
    """The parts of a data set, a source each."""
    parts = parts_of(*(values.get(key) for key in _PARTS.values()))
    laid = lay_parts(parts, lambda part: find_data(path, place, part), said, _last(path), sources)
    slices = part_draws(parts, laid)
    return [_Group([one], slices.get((one.name,))) for one in laid]


def _last(path: str) -> str:
    return path.rpartition("/")[2] or path


def _tell_split(entry: Entry, laid: Laid, drawn: bool, ledger: Ledger) -> None:
    """The lines of the keys that say which rows are meant: of files by split, the split says which files."""
    values = dict(entry.values)
    split = values.get("split")
    if (
        isinstance(values.get("data_files"), dict)
        and isinstance(split, str)
        and split.strip()
        and "[" not in split
    ):
        ledger.tell(f"{entry.at}.split", split, "carried", "sources", "its data_files")
        del values["split"]
    tell_part(ledger, entry.at, _PARTS, values, laid, drawn)


def _shards(values: Mapping[str, Any]) -> int:
    """Of how many shards a data set is one; none where it is whole."""
    found = whole(values.get("shards"))
    return found if found is not None and found > 1 else 0


def _draw(draw: Draw | None, shards: int) -> Draw | None:
    """A slice's sample, and of that one of so many shards."""
    if not shards:
        return draw
    if draw is not None and draw.of == "rows":
        found = Draw("rows", max(draw.amount // shards, 1))
    else:
        found = Draw("share", round((draw.amount if draw else 1) / shards, 6))
    return found if found.is_known else draw
