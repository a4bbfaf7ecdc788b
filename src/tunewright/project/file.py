"""ProjectFile: tunewright.yaml as one model. The docstring under a field is its only description."""

import os
import shlex
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Self

from pydantic import Field, PrivateAttr
from pydantic_core import to_jsonable_python

from tunewright.baselines.spec import BaselinesSpec
from tunewright.core.generation import Decoding, DecodingSpec
from tunewright.core.spec import Spec
from tunewright.core.task import JsonOutput, TaskSpec
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.drop_duplicates import DropDuplicates
from tunewright.data.spec import DataSpec, SourceSpec, SplitSpec
from tunewright.decide.spec import GatesSpec, PriceSpec
from tunewright.evals.spec import SuiteSpec
from tunewright.generate.teacher import TeacherSpec
from tunewright.train.spec import TrainSpec

FILE_NAME = "tunewright.yaml"
TARGET = "target"
GENERAL = "general"


SuiteName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=40)]
"""A suite's name stands in file names."""
TeacherName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]*$", max_length=40)]
"""A teacher's name is told in rows that it wrote."""


class ProjectFile(Spec):
    """A Tunewright project: what the model is to do, from which rows, and what it must prove."""

    name: str = Field(min_length=1, max_length=64, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    """The project's name: letters, digits, dots, dashes."""
    task: TaskSpec
    """What the model is to do."""
    base: str = "embedded"
    """The model to start from: `embedded` (ships with Tunewright), a hub id (Qwen/Qwen3-0.6B), or a folder's path."""
    sources: dict[str, SourceSpec] = Field(min_length=1)
    """Where the rows come from, by name."""
    data: DataSpec = DataSpec()
    """Budgets of the data stage."""
    recipe: tuple[RecipeOp, ...] = (DropDuplicates(),)
    """What is done to the rows before they are split, in order."""
    teachers: dict[TeacherName, TeacherSpec] = Field(default_factory=dict)
    """Models that write or judge rows for the recipe, by name (docs/teachers.md), besides `base`, the project's own."""
    split: SplitSpec = SplitSpec()
    """How rows are shared out to train, dev and test."""
    suites: dict[SuiteName, SuiteSpec] = Field(
        default_factory=lambda: {TARGET: SuiteSpec(), GENERAL: SuiteSpec(examples=GENERAL)}
    )
    """What variants are measured on: `target` is the task itself, `general` shows what else was lost."""
    baselines: BaselinesSpec = BaselinesSpec()
    """The rivals a fine-tune must beat."""
    decoding: DecodingSpec = DecodingSpec()
    """How answers are drawn, in evals and in the release."""
    train: TrainSpec = TrainSpec()
    """How the model is trained."""
    gates: GatesSpec = GatesSpec()
    """What must hold before a release."""
    prices: PriceSpec = PriceSpec()
    """What tokens and time cost; where it is zero, cost is not told."""
    _laid_over: dict[str, Any] = PrivateAttr(default_factory=dict)

    @property
    def laid_over(self) -> dict[str, Any]:
        """What `--set` laid over the file, by dotted name. It is in the fields already: the report tells of it."""
        return self._laid_over

    def with_laid_over(self, settings: Mapping[str, Any]) -> Self:
        """The same file, with the settings that were laid over it."""
        file = self.model_copy()
        file._laid_over = to_jsonable_python(dict(settings), by_alias=True, fallback=str)
        return file

    @property
    def answering(self) -> Decoding:
        """How variants answer the task: the decoding, with the task's schema where answers are held to it."""
        output, held = self.task.output, self.decoding.constrained
        schema = output.schema_ if held and isinstance(output, JsonOutput) else None
        drawn = self.decoding.model_dump(exclude={"constrained"})
        return Decoding(**drawn, json_schema=schema if isinstance(schema, dict) else None)


def file_path(path: Path) -> Path:
    """The project file a path means: itself, or the tunewright.yaml in that folder or the nearest one above it."""
    if not path.is_dir():
        return path
    above = path.resolve()
    for folder in (path, *above.parents):
        if (folder / FILE_NAME).is_file():
            return folder / FILE_NAME
    return path / FILE_NAME


def way_to_a_project(folder: Path) -> str:
    """What to do where there is no project: make one, or name one of those that lie in a folder's own folders."""
    try:
        inside = sorted(each for each in folder.iterdir() if os.path.isfile(each / FILE_NAME))
    except OSError:
        inside = []
    if not inside:
        return "Make one with `tunewright init NAME --data FILE`."
    named = [f"`-p {shlex.quote(str(each))}`" for each in inside[:3]]
    more = f" (there are {len(inside)} such folders)" if len(inside) > len(named) else ""
    return f"Name one below: {' or '.join(named)}{more}."
