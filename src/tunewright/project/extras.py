"""Which extras a project asks for: packages beyond what is always installed, by what its file says.

    for need in asked(file, root): …        each setting that needs one, with the extra's or tracker's name

`models/machine.py` has the table of extras, and which of them are here.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tunewright.data.files import find_files
from tunewright.data.ops.language import Language
from tunewright.data.rows import BadFile
from tunewright.data.sources import COMPRESSED, ENDINGS
from tunewright.data.spec import SourceSpec
from tunewright.models.machine import EXTRAS
from tunewright.project.file import ProjectFile

_FORMATS = {"html": "documents", "audio": "speech"}
"""Formats of files that an extra reads."""


class Need(NamedTuple):
    """A setting, and what it cannot do without."""

    setting: str
    name: str
    """An extra of ours, or a tracker's package."""

    @property
    def missing(self) -> str:
        """The sentence for a machine that has it not."""
        what, package = (f"the extra {self.name}", f"'tunewright[{self.name}]'")
        if self.name not in EXTRAS:
            what = package = self.name
        return f"{self.setting} needs {what}, which is not installed: `pip install {package}`."


def asked(file: ProjectFile, root: Path) -> Iterator[Need]:
    """What a project asks for; `root` is its folder, where the sources' files are looked up. Nothing is fetched."""
    for name, source in file.sources.items():
        if source.sql is not None:
            yield Need(f"sources.{name}.sql", "sql")
        for form in sorted(_formats(source, root) & _FORMATS.keys()):
            yield Need(f"sources.{name} (format {form})", _FORMATS[form])
    for index, op in enumerate(file.recipe):
        if isinstance(op, Language):
            yield Need(f"recipe.{index}: language", "language")
    if file.data.scale == "ray":
        yield Need("data.scale: ray", "ray")
    if file.train.adapter.kind == "qlora":
        yield Need("train.adapter.kind: qlora", "qlora")
    if file.train.optimizer == "adamw8bit":
        yield Need("train.optimizer: adamw8bit", "qlora")
    for sink in file.train.sinks:
        yield Need(f"train.sinks: {sink}", sink)


def _formats(source: SourceSpec, root: Path) -> set[str]:
    """The formats of a source's files by their endings; nothing of what is not here."""
    if source.sql is not None or source.on_hub:
        return set()
    if source.format != "auto":
        return {source.format}
    try:
        endings = {_ending(Path(file.name)) for file in find_files(source, root)}
    except BadFile:
        return set()  # `check` says so
    return {ENDINGS[ending] for ending in endings if ending in ENDINGS}


def _ending(path: Path) -> str:
    """A file's ending, of a packed one that before it."""
    ending = path.suffix.lower()
    return path.with_suffix("").suffix.lower() if ending in COMPRESSED else ending
