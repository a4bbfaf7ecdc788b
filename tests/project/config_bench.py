"""A folder with a config of another tool, and the way to import it."""

import json
from pathlib import Path
from typing import Any

from tunewright.project.file import ProjectFile
from tunewright.project.importing import Imported, import_config
from tunewright.project.importing.carried import Line
from tunewright.project.reading import read


class Bench:
    """A folder with a config and files, and the way to import the config."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._made: Imported | None = None

    def write(self, name: str, content: str) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content, "utf-8")
        return path

    def run(self, content: Any, name: str = "config.yaml", **more: Any) -> ProjectFile:
        text = content if isinstance(content, str) else json.dumps(content)
        self._made = import_config(self.write(name, text), self.root / "mine", **more)
        return read(self._made.path)

    def line(self, key: str) -> Line:
        assert self._made is not None
        (found,) = (line for line in self._made.lines if line.key == key)
        return found

    def fate(self, key: str) -> tuple[str, str]:
        return self.line(key).fate, self.line(key).to

    @property
    def lines(self) -> list[Line]:
        assert self._made is not None
        return self._made.lines

    @property
    def keys(self) -> list[str]:
        assert self._made is not None
        return [line.key for line in self._made.lines]
