"""Configs of other tools, imported: how many become a project, how many are refused and why, and whether one crashes.

    python bench/importing.py FOLDER [FOLDER …] [--show]

FOLDER is somebody's checkout of Axolotl or LLaMA-Factory, or any folder with their configs, below which every .yaml, .yml
and .json is tried; of a dataset_info.json, each entry, as a config that trains on it. Nothing is fetched, and nothing is
written there. Prints for each folder

- imported: a project file was written, and each key of the config was told;
- refused: one sentence said why not; the sentences are counted;
- untold: a project file was written, and a key of the config, or of a data set's entry, was passed over;
- crashed: anything else;
- by hand: the sources that the projects name and of which the rows have to be saved by hand;

and passes over files that are no config of these tools. Ends with 1 where a config crashed, or a key was untold.
"""

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tunewright.core.errors import UserError
from tunewright.project.importing import import_config
from tunewright.project.importing.reading import Tool, read_mapping, tool_of
from tunewright.project.reading import read

INFO = "dataset_info.json"
HOMES = {"file_name", "hf_hub_url", "ms_hub_url", "om_hub_url", "script_url", "cloud_file_name"}
"""Keys of its entries that say where the rows lie: the line of the data set tells which was taken."""
NAMED = re.compile(r"'[^']*'|\"[^\"]*\"|: \S+ is")
"""What a sentence names, so that like sentences are counted as one."""


class Config(NamedTuple):
    """A config to try."""

    path: Path
    tool: Tool | None
    info: Path | None
    """The dataset_info.json that it was made for."""


class Outcome(NamedTuple):
    """What came of it."""

    kind: str
    why: str = ""
    by_hand: int = 0
    sources: int = 0


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--show", action="store_true", help="name each config that was not imported")
    asked = parser.parse_args()
    bad = 0
    for folder in asked.folders:
        with TemporaryDirectory() as work:
            bad += tried(folder, Path(work), asked.show)
    sys.exit(1 if bad else 0)


def tried(folder: Path, work: Path, show: bool) -> int:
    """Try each config of a folder and print what came of them; how many crashed or left a key untold."""
    kinds, whys = Counter[str](), Counter[str]()
    sources = by_hand = passed_over = 0
    for number, config in enumerate(configs(folder, work)):
        if not is_config(config):
            passed_over += 1
            continue
        outcome = outcome_of(config, work / str(number))
        kinds[outcome.kind] += 1
        sources, by_hand = sources + outcome.sources, by_hand + outcome.by_hand
        if outcome.kind != "imported":
            whys[NAMED.sub("…", outcome.why)] += 1
            if show:
                print(f"  {outcome.kind}: {config.path}: {outcome.why}")
    counts = ", ".join(f"{kinds[kind]} {kind}" for kind in ("imported", "refused", "untold", "crashed"))
    print(f"{folder}: {sum(kinds.values())} configs ({passed_over} other files): {counts}")
    print(f"  {by_hand} of {sources} sources by hand")
    for why, count in whys.most_common():
        print(f"  {count:4} {why}")
    return kinds["crashed"] + kinds["untold"]


def configs(folder: Path, work: Path) -> Iterator[Config]:
    """The files that may be configs, and those made of each entry of a dataset_info.json that can be read."""
    for path in sorted(path for ending in ("yaml", "yml", "json") for path in folder.rglob(f"*.{ending}")):
        if path.name == INFO:
            yield from entries(path, work)
        else:
            yield Config(path, None, None)


def entries(info: Path, work: Path) -> Iterator[Config]:
    """A config for each data set that a dataset_info.json has, by the stage that its rows are for; of a broken one, one."""
    try:
        found = read_mapping(info)
    except UserError:  # what is wrong with it, its import says
        found = {"any": {}}
    for number, (name, entry) in enumerate(found.items()):
        entry = entry if isinstance(entry, dict) else {}
        stage = (
            "dpo" if entry.get("ranking") else "kto" if "kto_tag" in _object(entry.get("columns")) else "sft"
        )
        config: dict[str, Any] = {"model_name_or_path": "base", "stage": stage, "dataset": name}
        path = work / f"entry{number}.json"
        path.write_text(json.dumps(config), "utf-8")
        yield Config(path, "llamafactory", info)


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def is_config(config: Config) -> bool:
    """Whether a file is a config of a tool that is known."""
    try:
        return config.tool is not None or bool(tool_of(read_mapping(config.path), config.path))
    except UserError:
        return False


def keys_of(config: Config) -> Iterator[str]:
    """The keys of a config that are to be told, those of its data sets' entries among them."""
    values = read_mapping(config.path)
    yield from values
    for key in ("datasets", "pretraining_dataset"):
        sets = values.get(key)
        for number, entry in enumerate(sets if isinstance(sets, list) else [sets]):
            yield from (f"{key}[{number}].{each}" for each in _object(entry))
    if config.info is not None:
        name = values["dataset"]
        yield from (
            f"dataset[{name}].{key}" for key in _object(read_mapping(config.info)[name]) if key not in HOMES
        )


def outcome_of(config: Config, folder: Path) -> Outcome:
    """Import a config into a folder, and read the project file that was written."""
    try:
        made = import_config(config.path, folder, config.tool, config.info)
        file = read(made.path)
    except UserError as error:
        return Outcome("refused", error.message)
    except Exception as error:  # noqa: BLE001 - that none gets here is what is measured
        return Outcome("crashed", f"{type(error).__name__}: {error}")
    told = [line.key for line in made.lines]
    untold = [
        key
        for key in keys_of(config)
        if not any(key == each or each.startswith((f"{key}[", f"{key}.")) for each in told)
    ]
    if untold:
        return Outcome("untold", f"{untold}")
    by_hand = sum(source.path.startswith("data/") for source in file.sources.values())
    return Outcome("imported", by_hand=by_hand, sources=len(file.sources))


if __name__ == "__main__":
    main()
