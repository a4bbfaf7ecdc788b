"""Which files hold a split's rows in a data set that is laid out as the hub wants it, told from the names of its files.

The card's `configs:` say it (README.md), or else the names: data/train-00000-of-00002.parquet, folders and files called
after a split (train, validation, test), or everything as train. It is the layout that `datasets` reads, with the
same rows found; its folders as `save_to_disk` writes them are read too. No code of a data set is run.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from fnmatch import translate
from itertools import accumulate
from operator import or_
from pathlib import PurePosixPath
from typing import Any

from tunewright.data.names import did_you_mean, listed, shown
from tunewright.data.rows import BadFile
from tunewright.data.source_spec import HubSpec

CARD = "README.md"
_WORDS = {
    "train": ("train", "training"),
    "validation": ("validation", "valid", "dev", "val"),
    "test": ("test", "testing", "eval", "evaluation"),
}
_SEP = "-._ 0-9"
_SHARD = re.compile(r"data/(?P<split>[^/]*)-\d{5}-of-\d{5}[^/]*\.[^/]*")
_PART = re.compile(r"(.*)-(\d{5})-of-(\d{5})(.*)")
_CONVERTED = re.compile(r"(?P<config>[^/]+)/(?:partial-)?(?P<split>[^/]+)/\d{4}\.parquet")
_PASSED_OVER = {
    *(CARD, "config.json", "dataset_info.json", "dataset_infos.json", "dummy_data.zip", "dataset_dict.json"),
    "state.json",
}
_MEDIA = re.compile(
    r"\.(?:jpe?g|png|gif|bmp|tiff?|webp|svg|wav|mp3|flac|ogg|opus|m4a|mp4|avi|mov|mkv|webm)$", re.IGNORECASE
)
_METADATA = re.compile(r"(?:^|/)metadata\.(?:csv|jsonl|parquet)$")
_CACHED = "cache-"
"""What `datasets` calls the files that it puts beside those it saved: what came out where rows were worked on."""
_ROWS = {"csv", "tsv", "json", "jsonl", "parquet", "arrow"}
_KNOWN = {
    "config_name",
    "data_files",
    "data_dir",
    "default",
    "description",
    "version",
    "features",
    "dataset_info",
}
"""Settings of a configuration that do not change how its files are read."""


def split_files(names: Iterable[str], card: dict[str, Any], spec: HubSpec, what: str) -> list[str]:
    """The files of a split of the data set `what` (its name for messages), by the card's settings. Raises BadFile."""
    names = sorted(names)
    splits = _splits(names, card, spec.config, what)
    if spec.split not in splits:
        raise BadFile(
            f"{what} has no split {shown(spec.split)}; its splits are {listed(splits)}.",
            fix=did_you_mean(spec.split, splits) or "Set hub: {split: …}.",
        )
    found = _of_one_format(splits[spec.split], what)
    _check_parts(found, what)
    return found


def _splits(names: list[str], card: dict[str, Any], config: str, what: str) -> dict[str, list[str]]:
    configs = card.get("configs")
    if isinstance(configs, list) and configs:
        return _by_card(names, configs, config, what)
    converted = [found for name in names if (found := _CONVERTED.fullmatch(name))]
    if converted and len(converted) == sum(name.endswith(".parquet") for name in names):
        return _by_conversion(converted, config, what)
    if config and config != "default":
        raise BadFile(
            f"{what} has no configurations, and so none called {shown(config)}.", fix="Leave it out."
        )
    splits = _by_saving(names) or _by_names(names)
    if not any(map(_format, (name for files in splits.values() for name in files))):
        raise _nothing(names, what)
    return splits


def _nothing(names: list[str], what: str) -> BadFile:
    script = next((name for name in names if "/" not in name and name.endswith(".py")), None)
    if script:
        return BadFile(
            f"{what} is made by a script ({shown(script)}), and no code of a data set is run.",
            fix="The hub's own Parquet files may be there: hub: {revision: refs/convert/parquet}.",
        )
    if any(map(_MEDIA.search, names)):
        return BadFile(f"{what} holds pictures, sounds or films, and only texts are read.")
    return BadFile(f"{what} holds no files of rows (CSV, TSV, JSON, JSONL, Parquet, Arrow).")


def _by_card(names: list[str], configs: list[Any], wanted: str, what: str) -> dict[str, list[str]]:
    """The splits of a configuration of the card."""
    known = {str(entry.get("config_name", "default")): entry for entry in configs if isinstance(entry, dict)}
    config = known.get(wanted) if wanted else _default(known)
    if config is None:
        said = f"no configuration {shown(wanted)}" if wanted else "several configurations"
        raise BadFile(
            f"{what} has {said}; its configurations are {listed(known)}.",
            fix=did_you_mean(wanted, known) or f"Set hub: {{config: {shown(next(iter(known), '…'))}}}, say.",
        )
    stray = sorted(map(str, config.keys() - _KNOWN))
    if stray:
        raise BadFile(
            f"{what} says in its card how its files are to be read ({listed(stray)}), which is not understood.",
            fix="Name its files by a pattern, and set format: and columns: (path: hub:owner/name/*.csv).",
        )
    folder = str(config.get("data_dir") or "").strip("/")
    if config.get("data_files") is None:
        below = [name for name in names if name.startswith(f"{folder}/")] if folder else names
        inner = {name[len(folder) + 1 :] if folder else name: name for name in below}
        return {split: [inner[name] for name in files] for split, files in _by_names(sorted(inner)).items()}
    found: dict[str, list[str]] = {}
    for split, pattern in _patterns(config["data_files"], what):
        whole = f"{folder}/{pattern}" if folder else pattern
        found.setdefault(split, []).extend(
            name for name in matching(names, whole) if name not in found[split]
        )
    empty = next((split for split, files in found.items() if not files), None)
    if empty is not None:
        raise BadFile(f"{what} names files for its split {shown(empty)} in its card, and has none of them.")
    return found


def _default(known: dict[str, Any]) -> Any:
    """The configuration that is meant where none is named; none where that is not clear."""
    chosen = [entry for entry in known.values() if entry.get("default") is True]
    return next(iter(known.values())) if len(known) == 1 else chosen[0] if chosen else known.get("default")


def _patterns(value: Any, what: str) -> Iterator[tuple[str, str]]:
    """(split, pattern) of a card's data_files."""
    entries = [value] if isinstance(value, str) else value
    if isinstance(value, dict):
        entries = [{"split": split, "path": path} for split, path in value.items()]
    for entry in entries if isinstance(entries, list) else [None]:
        split, paths = ("train", entry) if isinstance(entry, str) else ("", None)
        if isinstance(entry, dict):
            split, paths = str(entry.get("split", "train")), entry.get("path")
        for path in paths if isinstance(paths, list) else [paths]:
            if not isinstance(path, str) or not split:
                raise BadFile(f"{what} has data_files in its card that are no patterns of files.")
            yield split, path.removeprefix("./")


def _by_conversion(found: list[re.Match[str]], wanted: str, what: str) -> dict[str, list[str]]:
    """The layout of the hub's own Parquet files: config/split/0000.parquet."""
    configs = dict.fromkeys(match["config"] for match in found)
    config = wanted or (
        "default" if "default" in configs else next(iter(configs)) if len(configs) == 1 else ""
    )
    if config not in configs:
        said = f"no configuration {shown(wanted)}" if wanted else "several configurations"
        raise BadFile(
            f"{what} has {said}; its configurations are {listed(configs)}.",
            fix=did_you_mean(wanted, configs) or f"Set hub: {{config: {shown(next(iter(configs)))}}}, say.",
        )
    splits: dict[str, list[str]] = {}
    for match in found:
        if match["config"] == config:
            splits.setdefault(match["split"], []).append(match[0])
    return splits


def _by_saving(names: list[str]) -> dict[str, list[str]]:
    """The layout of `save_to_disk`: Arrow files beside a state.json, in a folder for each split where there are several."""
    found: dict[str, list[str]] = {}
    for name in names:
        folder, _, file = name.rpartition("/")
        beside = f"{folder}/state.json" if folder else "state.json"
        if (
            file.endswith(".arrow")
            and not file.startswith(_CACHED)
            and folder.count("/") == 0
            and beside in names
        ):
            found.setdefault(folder or "train", []).append(name)
    return found


def _by_names(names: list[str]) -> dict[str, list[str]]:
    """The splits that the names of folders or files tell, or else everything as train."""
    plain = [name for name in names if not _hidden(name) and PurePosixPath(name).name not in _PASSED_OVER]
    shards: dict[str, list[str]] = {}
    for name in plain:
        if found := _SHARD.fullmatch(name):
            shards.setdefault(found["split"], []).append(name)
    if shards:
        return shards
    for tells in (_in_folders, _in_file):
        splits = {split: [name for name in plain if tells(name, words)] for split, words in _WORDS.items()}
        if any(splits.values()):
            return {split: files for split, files in splits.items() if files}
    return {"train": plain}


def _in_folders(name: str, words: tuple[str, ...]) -> bool:
    return any(_says(part, word, whole=True) for part in name.split("/")[:-1] for word in words)


def _in_file(name: str, words: tuple[str, ...]) -> bool:
    return any(_says(name.rpartition("/")[2], word, whole=False) for word in words)


def _says(part: str, word: str, whole: bool) -> bool:
    """Whether a name says the word, parted from the rest by a sign or a digit; `whole`: it may be all of the name."""
    end = f"(?:[{_SEP}].*)?" if whole else f"[{_SEP}].*"
    return re.fullmatch(f"(?:.*[{_SEP}])?{word}{end}", part) is not None


def _hidden(name: str) -> bool:
    parts = name.split("/")
    return any(part.startswith(".") for part in parts) or any(part.startswith("__") for part in parts[:-1])


def matching(names: list[str], pattern: str) -> list[str]:
    """The names that a pattern of files takes: `**` any folders, `*` and `?` within one."""
    parts = [None if part == "**" else re.compile(translate(part)) for part in pattern.split("/")]
    asked = _hidden(pattern)
    return [
        name
        for name in names
        if (
            name == pattern
            or (_takes(parts, name.split("/")) and PurePosixPath(name).name not in _PASSED_OVER)
        )
        and (asked or not _hidden(name))
    ]


def _takes(parts: list[re.Pattern[str] | None], names: list[str]) -> bool:
    """Whether a pattern takes a path, both by their parts; None stands for any folders.

    No part is tried twice on a name: a card's pattern may have very many.
    """
    taken = [True] + [False] * len(names)  # how many of the names the parts so far may take
    for part in parts:
        if part is None:
            taken = list(accumulate(taken, or_))
        else:
            before = zip(taken, names, strict=False)
            taken = [False] + [true and part.match(name) is not None for true, name in before]
    return taken[-1]


def _format(name: str) -> str | None:
    """The format of a file of rows, packed or not."""
    from tunewright.data.sources import ENDINGS
    from tunewright.data.sources._unpack import COMPRESSED

    path = PurePosixPath(name)
    ending = PurePosixPath(path.stem).suffix if path.suffix.lower() in COMPRESSED else path.suffix
    found = ENDINGS.get(ending.lower())
    return found if found in _ROWS else None


def _of_one_format(files: list[str], what: str) -> list[str]:
    """Those of the files that hold rows. Raises BadFile where they are of several formats, or go with pictures."""
    rows = [name for name in files if _format(name)]
    if any(map(_MEDIA.search, files)) and all(map(_METADATA.search, rows)):
        raise BadFile(f"{what} holds pictures, sounds or films, and only texts are read.")
    formats = dict.fromkeys(str(_format(name)) for name in rows)
    if len(formats) > 1:
        raise BadFile(
            f"{what} has the split's rows in files of several formats ({listed(formats)}).",
            fix="Name those that you mean by a pattern: path: hub:owner/name/*.parquet, say.",
        )
    if not rows:
        raise _nothing(files, what)
    return rows


def _check_parts(files: list[str], what: str) -> None:
    """Raises BadFile where one of the files that say `-00000-of-00003` is not there."""
    there: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for name in files:
        if found := _PART.fullmatch(name):
            there[found[1], found[3]].add(found[2])
    for (stem, count), numbers in sorted(there.items()):
        lacks = next((at for at in range(int(count)) if f"{at:05}" not in numbers), None)
        if lacks is not None:
            raise BadFile(
                f"{what} lacks the file {shown(f'{stem}-{lacks:05}-of-{count}')}.", fix="Fetch it anew."
            )
