"""Configs of other tools become project files: Axolotl's, LLaMA-Factory's, OpenAI's fine-tuning jobs.

    made = import_config(Path("axolotl.yaml"), Path("."))
    made.path      the tunewright.yaml that was written
    made.lines     what became of each key

A tool is one file, with a table of its keys; `carried.py` keeps count of them.
"""

from importlib import import_module
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, NamedTuple

from tunewright.core.errors import ProjectFileError, UserError
from tunewright.core.files import write_atomic
from tunewright.project.file import FILE_NAME, ProjectFile
from tunewright.project.importing.carried import Ledger, Line
from tunewright.project.importing.place import Place
from tunewright.project.importing.reading import Tool, read_mapping, tool_of
from tunewright.project.init import project_name
from tunewright.project.reading import read
from tunewright.project.writing import to_yaml
from tunewright.train.spec import TrainSpec

__all__ = ["Imported", "Line", "Tool", "import_config"]


class Imported(NamedTuple):
    """A project begun from another tool's config."""

    path: Path
    """The project file."""
    tool: Tool
    lines: list[Line]
    """What became of each key, in the config's order."""


def import_config(
    config: Path, folder: Path, tool: Tool | None = None, dataset_info: Path | None = None
) -> Imported:
    """Write `folder`/tunewright.yaml from a config; nothing is written when something is wrong, or when one is there.

    Raises UserError for a config that cannot be read, is of no known tool, trains by a method that there is not, or has no
    data that can be a source.
    """
    target = folder / FILE_NAME
    if target.exists():
        raise UserError(
            "there is a project here already", where=str(target), fix="Choose another folder with --to."
        )
    values = read_mapping(config)
    tool = tool or tool_of(values, config)
    name = project_name(folder.resolve().name)
    start = {
        "name": name,
        "task": {"system": ""},
        "base": "embedded",
        "sources": {"rows": {"path": "rows.jsonl"}},
    }
    ledger = Ledger(values, start)
    import_module(f"{__name__}.{tool}").read(ledger, Place(config, folder, dataset_info))
    text = to_yaml(_in_order(ledger.values))
    _check(text, config)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomic(target, text)
    return Imported(target, tool, ledger.lines)


def _in_order(values: dict[str, Any]) -> dict[str, Any]:
    """The values in the order of the project file's fields, and those of training in theirs."""
    found = {name: values[name] for name in ProjectFile.model_fields if name in values}
    train = found.get("train", {})
    found["train"] = {name: train[name] for name in TrainSpec.model_fields if name in train}
    return found


def _check(text: str, config: Path) -> None:
    """Read the file as every command will, before it stands in the user's folder. Raises UserError."""
    with TemporaryDirectory() as folder:
        trial = Path(folder) / FILE_NAME
        write_atomic(trial, text)
        try:
            read(trial)
        except ProjectFileError as error:
            problem = error.problems[0]
            raise UserError(
                f"no project file can be made of it: {problem.message}", where=str(config), fix=problem.fix
            ) from None
