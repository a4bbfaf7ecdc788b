"""LLaMA-Factory's data sets: `dataset` names entries of dataset_info.json, which become sources and forms."""

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from tunewright.core.errors import UserError
from tunewright.data.forms.presets import PRESETS
from tunewright.project.importing.carried import SAYS_NOTHING, Ledger
from tunewright.project.importing.laying import Draws, lay_parts, part_draws, tell_part
from tunewright.project.importing.naming import slug, unique
from tunewright.project.importing.part import Draw, Part, parts_of
from tunewright.project.importing.place import Data, Place, by_hand, find_data, find_files
from tunewright.project.importing.reading import read_mapping
from tunewright.project.importing.rules import whole
from tunewright.project.importing.trial import checked, written_form

INFO = "dataset_info.json"
_COLUMNS = {
    "alpaca": {
        "prompt": "instruction",
        "query": "input",
        "response": "output",
        "history": "history",
        "system": "system",
        "tools": "tools",
        "chosen": "chosen",
        "rejected": "rejected",
        "kto_tag": "rating",
    },
    "sharegpt": {
        "messages": "messages",
        "system": "system",
        "tools": "tools",
        "chosen": "chosen",
        "rejected": "rejected",
        "kto_tag": "rating",
    },
}
_COLUMNS["openai"] = _COLUMNS["sharegpt"]
_TAGS = {
    "user_tag": ("human", "user"),
    "assistant_tag": ("gpt", "assistant"),
    "observation_tag": ("observation", "tool"),
    "function_tag": ("function_call", "call"),
    "system_tag": ("system", "system"),
}
"""Tag → (its default, our role)."""
_HUB = "hf_hub_url"
_BY_HAND = {
    "ms_hub_url": "it lies on ModelScope",
    "om_hub_url": "it lies on openMind's hub",
    "script_url": "a script loads it, and code is not run",
    "cloud_file_name": "it lies in a cloud's storage",
}
"""Where rows lie that no source reads, and why not."""
_PARTS = {"config": "subset", "split": "split"}
"""Our word for which rows are meant → the entry's key."""
_HOMES = {"file_name", _HUB, *_BY_HAND}
"""Keys that name where the rows lie: the line of the data set says which one was taken."""
_WHERE = {*_HOMES, "folder", "num_samples", *_PARTS.values()}
"""Keys that are told where the source is laid in."""
_LEFT = {
    "images": "only texts are trained; rows with pictures are rejects",
    "videos": "only texts are trained; rows with videos are rejects",
    "audios": "only texts are trained; rows with sounds are rejects",
}


def read_datasets(ledger: Ledger, place: Place) -> Draws:
    """Lay the data sets in as sources; of which of them a sample is meant. Raises UserError where the config names none."""
    asked = ledger.config.get("dataset")
    names = [name.strip() for name in asked.split(",")] if isinstance(asked, str) else asked
    if not isinstance(names, list) or not [name for name in names if name]:
        raise UserError(
            "the config names no dataset to train on",
            where=str(place.config),
            fix="An import is for training: set dataset, or import the config of the training run.",
        )
    found = _info(ledger, place)
    sources: dict[str, Any] = {}
    draws: Draws = {}
    for name in map(str, filter(None, names)):
        info = found.get(name)
        _source(name, info if isinstance(info, dict) else None, ledger, place, sources, draws)
    ledger.values["sources"] = sources
    ledger.tell("dataset", asked, "carried", "sources", "")
    for key, to in (("dataset_dir", "sources"), ("mask_history", "sources.*.form.trained")):
        if ledger.config.get(key) is not None:
            ledger.tell(key, ledger.config[key], "carried", to, "")
    return draws


def _info(ledger: Ledger, place: Place) -> Mapping[str, Any]:
    """What dataset_info.json holds, where there is one: as named, in dataset_dir, beside the config or in data/ above it."""
    if place.dataset_info:
        return read_mapping(place.dataset_info)
    folder = ledger.config.get("dataset_dir")
    if isinstance(folder, dict):
        return folder
    found = _info_folder(ledger, place)
    return read_mapping(found / INFO) if found else {}


def _info_folder(ledger: Ledger, place: Place) -> Path | None:
    """The folder of dataset_info.json, beside which its files lie."""
    if place.dataset_info:
        return place.dataset_info.resolve().parent
    folder = ledger.config.get("dataset_dir")
    below = folder if isinstance(folder, str) else "data"
    folders = [*(root / below for root in place.roots), place.config.resolve().parent]
    return next((each for each in folders if (each / INFO).is_file()), None)


def _source(
    name: str,
    info: Mapping[str, Any] | None,
    ledger: Ledger,
    place: Place,
    sources: dict[str, Any],
    draws: Draws,
) -> None:
    at = f"dataset[{name}]"
    if info is None:
        _unknown(name, ledger, place, sources)
        return
    parts = parts_of(info.get("subset"), info.get("split"), None)
    where, _ = _data(name, info, ledger, place, parts[0])
    form = _form(at, info, ledger)
    said = {} if form is None else {"form": form}
    laid = lay_parts(parts, lambda part: _data(name, info, ledger, place, part)[1], said, name, sources)
    for one in laid:
        ledger.tell(at, where, one.fate, f"sources.{one.name}.path", one.note)
    slices = part_draws(parts, laid)
    together = _draw(at, info, ledger)
    draws |= {tuple(one.name for one in laid): together} if together else slices
    tell_part(ledger, at, _PARTS, info, laid[0], bool(slices) and not together)
    _folder(at, info, laid[0].data, laid[0].name, ledger)
    ledger.leave_rest(at, {key: value for key, value in info.items() if key not in _HOMES})


def _unknown(name: str, ledger: Ledger, place: Place, sources: dict[str, Any]) -> None:
    """A data set that dataset_info.json does not have: what it is called may be where its rows lie."""
    source = unique(slug(name), sources)
    sources[source], note = checked(find_data(name, place), {})
    todo = "" if "form" in sources[source] else "set form for the source"
    why = "; ".join(filter(None, (f"{INFO} does not have it, or is not there", note, todo)))
    ledger.tell(f"dataset[{name}]", name, "changed", f"sources.{source}.path", why)


def _data(name: str, info: Mapping[str, Any], ledger: Ledger, place: Place, part: Part) -> tuple[str, Data]:
    """Where an entry says that its rows lie, in the tool's own order, and what comes of it."""
    folder = info.get("folder")
    if (hub := info.get(_HUB)) and isinstance(hub, str):
        files = isinstance(folder, str) and folder.strip("/")
        return hub, find_files(hub, f"{files}/**", place, part) if files else find_data(hub, place, part)
    for key, why in _BY_HAND.items():
        if there := info.get(key):
            data = by_hand(str(there))
            return str(there), data._replace(note=f"{why}: {data.note}")
    file = info.get("file_name")
    if isinstance(file, str) and file:
        return file, find_data(_beside_info(file, ledger, place), place, part)
    return name, find_data(name, place, part)


def _folder(at: str, info: Mapping[str, Any], data: Data, source: str, ledger: Ledger) -> None:
    """The line of an entry's folder."""
    if "folder" not in info:
        return
    key, value = f"{at}.folder", info["folder"]
    if not value:
        ledger.leave(key, value, SAYS_NOTHING)
    elif str(data.source["path"]).startswith("hub:"):
        why = "all files below it are read, of whatever split: name fewer where it has several"
        ledger.tell(key, value, "changed", f"sources.{source}.path", why)
    else:
        ledger.leave(key, value, "save that folder's rows as the source's file")


def _draw(at: str, info: Mapping[str, Any], ledger: Ledger) -> Draw | None:
    """How many rows of an entry are meant by its `num_samples`."""
    if "num_samples" not in info:
        return None
    key, value = f"{at}.num_samples", info["num_samples"]
    rows = whole(value)
    if value is None or not rows or rows < 1:
        ledger.leave(key, value, SAYS_NOTHING if value is None else "it is no number of rows")
        return None
    ledger.tell(
        key, value, "changed", "recipe", "a seeded sample; where there are fewer rows, none is repeated"
    )
    return Draw("rows", rows)


def _beside_info(file: str, ledger: Ledger, place: Place) -> str:
    """A file's path, as the config would name it."""
    folder = _info_folder(ledger, place)
    return os.path.relpath(folder / file, place.config.resolve().parent) if folder else f"data/{file}"


def _form(at: str, info: Mapping[str, Any], ledger: Ledger) -> Any:
    """The form as the project file has it; a line for each key of the entry."""
    formatting = str(info.get("formatting", "alpaca"))
    if formatting not in _COLUMNS:
        ledger.leave(f"{at}.formatting", formatting, "there is alpaca, sharegpt and openai")
        return None
    columns, tags = _mapping(info.get("columns")), _mapping(info.get("tags"))
    if ledger.config.get("stage") == "pt":
        spec: dict[str, Any] = {"name": "completion", "keys": {"text": columns.get("prompt", "instruction")}}
        told = {"formatting", "columns"}
        ledger.tell(f"{at}.columns", columns, "carried", "form.keys.text", "")
    else:
        spec = {"name": f"llamafactory.{formatting}", "keys": _keys(at, formatting, columns, info, ledger)}
        told = {"formatting", "columns", "tags", "ranking"}
        if formatting != "alpaca":
            _speakers(at, tags, spec, ledger)
        if ledger.config.get("mask_history"):
            spec["trained"] = "last"
    for key, value in info.items():
        if key not in {*told, *_WHERE}:
            ledger.leave(
                f"{at}.{key}", value, _LEFT.get(key, "unknown: no key of a data set that is known here")
            )
    try:
        form = written_form(spec)
    except ValueError as error:
        ledger.leave(f"{at}.formatting", formatting, f"no form can be made of it: {error}")
        return None
    why = "nothing is added to the system message" if formatting == "openai" else ""
    ledger.tell(f"{at}.formatting", formatting, "changed" if why else "carried", f"form {spec['name']}", why)
    return form


def _keys(
    at: str, formatting: str, columns: Mapping[str, Any], info: Mapping[str, Any], ledger: Ledger
) -> dict[str, str]:
    """Part → key, where it differs from the form's. Where columns are given, those left out are not there."""
    parts = _COLUMNS[formatting]
    preset = PRESETS[f"llamafactory.{formatting}"].keys
    ranked = bool(info.get("ranking"))
    keys: dict[str, str] = {}
    if columns and formatting == "alpaca":
        keys |= {part: "" for part in preset if part not in {parts.get(column) for column in columns}}
    for column, key in columns.items():
        part = parts.get(column)
        place = f"{at}.columns.{column}"
        if part is None or not isinstance(key, str):
            ledger.leave(place, key, _LEFT.get(column, "the form has no such part"))
        elif part in ("chosen", "rejected") and not ranked:
            ledger.leave(place, key, "without ranking there are no pairs")
        else:
            if preset.get(part) != key:
                keys[part] = key
            ledger.tell(place, key, "carried", f"form.keys.{part}", "")
    if ranked:
        keys = {"chosen": "chosen", "rejected": "rejected", **keys}
    if "ranking" in info:
        ledger.tell(f"{at}.ranking", info["ranking"], "carried", "form.keys", "")
    return keys


def _speakers(at: str, tags: Mapping[str, Any], spec: dict[str, Any], ledger: Ledger) -> None:
    """What a turn's keys and those who speak are called."""
    preset = PRESETS[spec["name"]]
    keys = {"role": str(tags.get("role_tag", "from")), "content": str(tags.get("content_tag", "value"))}
    spec["message_keys"] = {
        part: key for part, key in keys.items() if preset.message_keys.get(part, part) != key
    }
    words = {str(tags.get(tag, usual)): role for tag, (usual, role) in _TAGS.items()}
    spec["roles"] = {word: role for word, role in words.items() if preset.roles.get(word) != role}
    for tag, value in tags.items():
        if tag in _TAGS or tag in ("role_tag", "content_tag"):
            ledger.tell(
                f"{at}.tags.{tag}",
                value,
                "carried",
                "form.roles" if tag in _TAGS else "form.message_keys",
                "",
            )
        else:
            ledger.leave(f"{at}.tags.{tag}", value, "unknown: no tag that is known here")


def _mapping(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
