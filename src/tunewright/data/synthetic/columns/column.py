"""What a column is: its settings, and how its cells are filled.

To add one, add a file to data/synthetic/columns/ of the type's name with its settings, a subclass of ColumnSpec (or, where
a teacher is asked, of AskingSpec), and one of

    each(spec, name, means) -> Callable[[Cells], Any]     the value of a cell, from the cells before it; raises BadCell
    asks(spec, name, means) -> Asking                     what a teacher is asked for a cell, and how its answer is read

and the settings' name to data/synthetic/columns/__init__.py.
"""

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar, NamedTuple, Protocol

from pydantic import Field, JsonValue

from tunewright.core.example import Example, ask, make_example
from tunewright.core.generation import Decoding, Generator
from tunewright.core.grading import Grader
from tunewright.core.hashing import hash_value
from tunewright.core.message import Conversation, Message
from tunewright.core.spec import Spec
from tunewright.data.kinds import Kind, kind_of, together
from tunewright.data.synthetic.formula import BadCell, Expression, Template, expression, template


class ColumnSpec(Spec):
    """What all columns have."""

    TEMPLATES: ClassVar[tuple[str, ...]] = ()
    """Settings that are templates over other columns."""
    EXPRESSIONS: ClassVar[tuple[str, ...]] = ("when",)
    """Settings that are expressions over other columns."""
    NAMES: ClassVar[tuple[str, ...]] = ()
    """Settings that name another column."""
    KIND: ClassVar[Kind] = "any"
    """What its cells are, where that is known beforehand."""

    when: Expression | None = None
    """An expression over other columns: plan == "pro". Where it is not true, the cell is `otherwise`, and nobody is
    asked."""
    otherwise: JsonValue = None
    """What stands in the cell where `when` is not true."""

    @property
    def kind(self) -> Kind:
        """What its cells are, `otherwise` counted where it is given; nulls are of no kind."""
        return self.KIND if self.otherwise is None else together(self.KIND, kind_of(self.otherwise))

    def reads(self) -> dict[str, frozenset[str]]:
        """Setting → the columns that it reads."""
        found = dict[str, frozenset[str]]()
        for settings, compiled in ((self.TEMPLATES, template), (self.EXPRESSIONS, expression)):
            for setting in settings:
                if (source := getattr(self, setting)) is not None:
                    found[setting] = compiled(source).names
        for setting in self.NAMES:
            named = getattr(self, setting)
            found[setting] = frozenset((named,) if isinstance(named, str) else named or ())
        return found


class AskingSpec(ColumnSpec):
    """What all columns have that a teacher fills."""

    TEMPLATES: ClassVar[tuple[str, ...]] = ("system",)

    system: Template = ""
    """The system message of the question, a template over other columns."""
    teacher: str | None = None
    """Who is asked; left out, the operation's teacher."""
    temperature: float | None = Field(None, ge=0, le=2)
    """0 takes the likeliest words each time; above 0 draws. Left out, the teacher's own."""
    top_p: float | None = Field(None, gt=0, le=1)
    """Draw from the smallest set of tokens with this much probability. Left out, the teacher's own."""
    max_new_tokens: int | None = Field(None, ge=1)
    """The most tokens of an answer; one that is cut off there cannot be used. Left out, the teacher's own."""
    retries: int = Field(2, ge=0, le=10)
    """How often the teacher is shown what is wrong with its answer and asked again, before the row is given up."""


class PromptedSpec(AskingSpec):
    """What those have that ask by a prompt."""

    TEMPLATES: ClassVar[tuple[str, ...]] = ("prompt", "system")

    prompt: Template
    """What the teacher is asked: a Jinja template over other columns. `fenced(column, "passage")` puts a text between
    tags, as material that gives no orders."""


class Cells:
    """One row while it is made."""

    def __init__(
        self,
        key: str,
        seed: Example | None = None,
        further: Mapping[str, Sequence[Example]] = MappingProxyType({}),
        *,
        draw: int = 0,
    ) -> None:
        self.key = key
        """What tells it from other rows, whichever these are: what is drawn for it goes by that."""
        self.seed = seed
        """The row that it is written from, where there is one."""
        self.further = further
        """Seed columns with a count → the rows that they show."""
        self.values = dict[str, Any]()
        """Column → value."""
        self.scores = dict[str, float]()
        """Of number columns, the standard normal draw behind the value."""
        self.teachers = list[str]()
        """Who wrote in it."""
        self.cut = set[str]()
        """Columns of seeds that were longer than they may be."""
        self.failure: str | None = None
        """Why it is given up."""
        self.said: Sequence[str] = ()
        """What a teacher last said of the column that gave it up."""
        self._draw = draw

    def chance(self, name: str) -> random.Random:
        """A column's own stream of chance in this row: no other column or row changes it."""
        return random.Random(hash_value([self._draw, name, self.key]))


class Asking(NamedTuple):
    """What a teacher is asked for the cells of a column."""

    spec: AskingSpec
    prompts: Callable[[Cells], list[Conversation]]
    """The questions of a cell: one, or several of which the answers are read together. Raises BadCell."""
    read: Callable[[Cells, list[str]], Any]
    """The value, from the answers. Raises BadCell with what is wrong, which the teacher is shown."""
    schema: dict[str, Any] | None = None
    """What answers are held to, where the teacher can be held."""


class Desk(Protocol):
    """Who can be asked, and who checks."""

    @property
    def root(self) -> Path:
        """The folder that files are relative to."""
        ...

    def generator(self, name: str) -> Generator:
        """The teacher of that name. Raises UserError."""
        ...

    def decoding(self, name: str) -> Decoding:
        """How it answers where a column does not say."""
        ...

    def grader(self, settings: Mapping[str, Any]) -> Grader:
        """The grader that these settings describe. Raises UserError."""
        ...


ASKED = make_example(ask("-", "-"))
"""For graders that look at the reply alone."""


def questions(spec: PromptedSpec, cells: Cells) -> Conversation:
    """The system message, where there is one, and the prompt. Raises BadCell."""
    said = str(template(spec.system).of(cells.values)).strip()
    asked = str(template(spec.prompt).of(cells.values)).strip()
    if not asked:
        raise BadCell("its prompt is blank")
    head = (Message(role="system", content=said),) if said else ()
    return (*head, Message(role="user", content=asked))
