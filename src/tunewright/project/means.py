"""What the operations of a project's recipe may use besides rows."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from tunewright.core.errors import ModelError
from tunewright.core.example import Example
from tunewright.core.message import with_system
from tunewright.project.file import ProjectFile

if TYPE_CHECKING:
    from tunewright.models.template import Renderer


class ProjectMeans:
    """The project's files and base."""

    def __init__(self, file: ProjectFile, root: Path) -> None:
        self.root = root
        """The folder that files are relative to."""
        self._file = file

    def lengths(self, rows: Sequence[Example]) -> list[int]:
        """The tokens of each row as the base reads it; of a pair, those of the longer conversation.

        Raises ModelError where there is no such base, or its template refuses a row.
        """
        return [self._length(row) for row in rows]

    def _length(self, row: Example) -> int:
        if row.is_document:
            return len(self._renderer.document(row.expected).ids)
        talks = [row.messages, *([row.worse] if row.worse else [])]
        system = self._file.task.system
        try:
            return max(len(self._renderer.training(with_system(talk, system)).ids) for talk in talks)
        except ModelError as error:
            raise ModelError(error.message, where=row.place, fix=error.fix) from None

    @cached_property
    def _renderer(self) -> "Renderer":
        from tunewright.models.base import resolve_base
        from tunewright.models.load import load_tokenizer
        from tunewright.models.template import Renderer

        return Renderer(load_tokenizer(resolve_base(self._file.base, self.root)))
