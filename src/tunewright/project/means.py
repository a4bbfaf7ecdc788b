"""What the operations of a project's recipe may use besides rows."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from tunewright.core.errors import ModelError
from tunewright.core.events import Emit, silent
from tunewright.core.example import Example
from tunewright.core.generation import Decoding, Generator
from tunewright.core.grading import Grader
from tunewright.core.hashing import SHORT
from tunewright.core.message import with_system
from tunewright.project import teachers
from tunewright.project.file import ProjectFile

if TYPE_CHECKING:
    from tunewright.data.embedding_spec import EmbeddingSpec
    from tunewright.data.embedding_words import Vectors
    from tunewright.generate.budgeted import Budget, Budgeted, Spent
    from tunewright.generate.remembering import Remembering
    from tunewright.models.template import Renderer
    from tunewright.project.perplexity import Perplexity

ANSWERS = "answers"
"""The folder in the store that keeps teachers' answers: one file for each address and model, or base and adapter."""
_EVERY_S = 1.0
"""Seconds between two events of what was spent."""


class _Teacher(NamedTuple):
    """A teacher, ready to answer."""

    budget: "Budget"
    budgeted: "Budgeted"
    remembering: "Remembering | None"


class ProjectMeans:
    """The project's files, base, teachers and graders, for one operation: a teacher's budget begins anew with each."""

    def __init__(
        self,
        file: ProjectFile,
        root: Path,
        *,
        kept: Path | None = None,
        asks: bool = True,
        threads: int | None = None,
        emit: Emit = silent,
    ) -> None:
        """`kept` is a folder for the teachers' answers, so that none is asked for twice; without `asks`, no other answers
        are had of those that cost or are elsewhere; `threads` are the compute threads of those on this machine.
        """
        self.root = root
        """The folder that files are relative to."""
        self._file, self._kept, self._asks, self._threads, self._emit = file, kept, asks, threads, emit
        self._teachers: dict[str, _Teacher] = {}

    def generator(self, name: str) -> Generator:
        """The teacher of that name, within its budget; its answers are kept. Raises UserError."""
        if name not in self._teachers:
            self._teachers[name] = self._teacher(name)
        return self._teachers[name].budgeted

    def decoding(self, name: str) -> Decoding:
        """How that teacher answers where the operation does not say. Raises UserError."""
        return teachers.find(self._file, name).decoding

    def grader(self, settings: Mapping[str, Any]) -> Grader:
        """The grader that these settings describe. Raises UserError."""
        return teachers.grader(settings, self._file.task, self.root)

    def tell(self) -> None:
        """Say what each teacher spent in all."""
        for name in self._teachers:
            self._tell(name)

    def _teacher(self, name: str) -> "_Teacher":
        from tunewright.generate.budgeted import Budgeted
        from tunewright.generate.remembering import Remembering

        spec, where = teachers.find(self._file, name), teachers.place(self._file, name)
        if spec.base and self._threads:
            from tunewright.models.machine import set_threads

            set_threads(self._threads)
        found = teachers.build(spec, self.root, where, lambda words: self._emit("teacher.said", words=words))
        if spec.url:
            found = teachers.Door(found, name, spec, opened=self._asks or spec.is_ours, emit=self._emit)
        remembering = None
        if self._kept is not None:
            identity = teachers.who(spec, self.root, where)
            found = remembering = Remembering(found, self._kept / f"{identity[:SHORT]}.jsonl", identity)
        last = [0.0]

        def told(spent: "Spent") -> None:
            if (now := time.monotonic()) - last[0] >= _EVERY_S:
                last[0] = now
                self._tell(name)

        budget = teachers.budget(spec)
        return _Teacher(budget, Budgeted(found, budget, where=where, told=told), remembering)

    def _tell(self, name: str) -> None:
        """What a teacher answered so far, and of that what was kept from before: it costs nothing now."""
        budget, asked, remembering = self._teachers[name]
        kept = remembering.recalled if remembering else None
        saved = budget.cost(kept.tokens_in, kept.tokens_out) if kept else 0
        told = {**asked.spent._asdict(), "kept": kept.answers if kept else 0}
        told["cost"] = max(0.0, asked.spent.cost - saved)
        self._emit("teacher.asked", teacher=name, currency=self._file.prices.currency, **told)

    def lengths(self, rows: Sequence[Example]) -> list[int]:
        """The tokens of each row as the base reads it; of a pair, those of the longer conversation.

        Raises ModelError where there is no such base, or its template refuses a row.
        """
        return [self._length(row) for row in rows]

    def perplexities(self, rows: Sequence[Example]) -> list[float]:
        """Of each row, how unlikely its answer is to the base as it is: exp of the mean negative log-likelihood of a token.

        Raises ModelError where there is no such base, or its template refuses a row.
        """
        return self._perplexity.of(rows)

    def embed(self, texts: Sequence[str], spec: "EmbeddingSpec") -> "Vectors":
        """The texts' vectors, float32 (n, d), each of length 1 or 0. Raises UserError where there is no such model."""
        from tunewright.project.embeddings import vectors

        return vectors(texts, spec, self.root)

    def names(self, model: str) -> Callable[[str], Sequence[tuple[int, int]]]:
        """The model that finds people's names, loaded once to see that it can be. Raises ModelError."""
        from tunewright.models.names import names_model

        return names_model(model, self.root)

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
    def _perplexity(self) -> "Perplexity":
        from tunewright.models.base import resolve_base
        from tunewright.project.perplexity import Perplexity

        return Perplexity(resolve_base(self._file.base, self.root), self._file.task.system)

    @cached_property
    def _renderer(self) -> "Renderer":
        from tunewright.models.base import resolve_base
        from tunewright.models.load import load_tokenizer
        from tunewright.models.template import Renderer

        return Renderer(load_tokenizer(resolve_base(self._file.base, self.root)))
