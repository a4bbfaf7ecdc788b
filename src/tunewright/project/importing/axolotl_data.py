"""Axolotl's data sets: `datasets` and `pretraining_dataset` become sources, their types forms."""

from collections.abc import Mapping
from typing import Any

from tunewright.core.errors import UserError
from tunewright.project.importing.axolotl_forms import REFUSED, Entry, form_of
from tunewright.project.importing.carried import Fate, Ledger
from tunewright.project.importing.naming import slug, unique
from tunewright.project.importing.part import Draw, parts_of, tell_part
from tunewright.project.importing.place import Place, find_data, find_files
from tunewright.project.importing.rules import whole
from tunewright.project.importing.trial import checked

_PARTS = {"config": "name", "split": "split", "revision": "revision"}
"""Our word for which rows are meant → the data set's key."""


def read_datasets(ledger: Ledger, place: Place) -> dict[str, Draw]:
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
    draws: dict[str, Draw] = {}
    for entry in entries:
        _source(entry, ledger, place, sources, draws)
        ledger.leave_rest(entry.at, entry.values)
    if not sources:
        whys = [
            f"{line.key}: {line.why}"
            for line in ledger.lines
            if line.fate == "without" and "].type" in line.key
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


def _source(
    entry: Entry, ledger: Ledger, place: Place, sources: dict[str, Any], draws: dict[str, Draw]
) -> None:
    """One data set as a source, or several where it names several files, configurations or splits."""
    values = entry.values
    known = {"path", "data_files", *_PARTS.values()} | ({"shards"} if _shards(values) else set())
    form = form_of(entry, known, ledger)
    path, names = values.get("path"), _files(values)
    if not isinstance(path, str) or not path or not all(isinstance(name, str) and name for name in names):
        ledger.leave(f"{entry.at}.path", path, "it names no file and no data set")
    elif form is REFUSED:
        ledger.leave(f"{entry.at}.path", path, "its rows cannot be carried")
    else:
        _lay(entry, form, names, ledger, place, sources, draws)
        return
    for key in (*_PARTS.values(), "shards"):
        if key in values and (key != "shards" or _shards(values)):
            ledger.leave(f"{entry.at}.{key}", values[key], "see its path")


def _files(values: Mapping[str, Any]) -> list[Any]:
    """The files that a data set names; of files by split, those of the split that is asked for."""
    files = values.get("data_files")
    if isinstance(files, dict):
        files = files.get(parts_of(None, values.get("split"), None)[0].split or "train")
    return files if isinstance(files, list) else [files] if files else []


def _lay(
    entry: Entry,
    form: Any,
    files: list[str],
    ledger: Ledger,
    place: Place,
    sources: dict[str, Any],
    draws: dict[str, Draw],
) -> None:
    values, path = entry.values, str(entry.values["path"])
    parts = parts_of(*(values.get(key) for key in _PARTS.values()))
    at = f"{entry.at}.{'data_files' if files else 'path'}"
    told = False
    for part in parts:
        for name in files or [path]:
            data = find_files(path, name, place, part) if files else find_data(name, place, part)
            source = unique(slug(path.rpartition("/")[2] or path), sources)
            sources[source], note = checked(data, form)
            fate: Fate = "changed" if data.note else "carried"
            ledger.tell(at, part.config or name, fate, f"sources.{source}.path", note)
            if draw := _draw(part.draw, _shards(values)):
                draws[source] = draw
            if not told:
                tell_part(ledger, entry.at, _PARTS, values, data.source, source)
                told = True
        if "hub" not in data.source:  # a file is of no configuration, and has no splits
            break
    if _shards(values):
        ledger.tell(
            f"{entry.at}.shards", values["shards"], "changed", "recipe", "a seeded sample of that share"
        )
    if files:
        ledger.tell(f"{entry.at}.path", path, "carried", "sources", "see its data_files")


def _shards(values: Mapping[str, Any]) -> int:
    """Of how many shards a data set is one; none where it is whole."""
    found = whole(values.get("shards"))
    return found if found is not None and found > 1 else 0


def _draw(draw: Draw | None, shards: int) -> Draw | None:
    """A slice's sample, and of that one of so many shards."""
    if not shards:
        return draw
    if draw is None:
        return Draw("share", round(1 / shards, 6))
    found = Draw(
        draw.of, max(draw.amount // shards, 1) if draw.of == "rows" else round(draw.amount / shards, 6)
    )
    return found if found.is_known else draw
