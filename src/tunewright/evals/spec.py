"""Settings of the evals: suites."""

from typing import Literal, Self

from pydantic import Field, model_validator

from tunewright.core.spec import Spec
from tunewright.data.forms.spec import FormSpec
from tunewright.data.thinking import Thinking
from tunewright.grade.spec import GraderSpec


class SuiteSpec(Spec):
    """Examples and the graders that score replies to them."""

    examples: Literal["test", "general"] | str = "test"
    """`test` is the split's test part, `general` the built-in general suite; else a file of chat rows, a table with the
    columns input and expected, or rows in a `form`."""
    form: FormSpec | None = None
    """The form of the file's rows, where they are another tool's: its name, or that and what differs (docs/importing.md)."""
    thinking: Thinking | None = None
    """What becomes of thinking that the file's rows of messages have beside an answer, as a source says it: `drop` or
    `inline`."""
    graders: tuple[GraderSpec, ...] = ()
    """The graders, the headline one first; the general suite brings its own for each example."""
    slices: tuple[str, ...] = ()
    """Fields whose values cut the scores into slices."""
    limit: int | None = Field(None, ge=1)
    """At most this many examples (the first in the frozen order)."""

    @model_validator(mode="after")
    def _form_of_a_file(self) -> Self:
        if self.form is not None and self.examples in ("test", "general"):
            raise ValueError(f"the examples are {self.examples}, which are of no form: a form is a file's")
        if self.thinking is not None and self.examples in ("test", "general"):
            raise ValueError(f"the examples are {self.examples}: thinking is said of a file's rows")
        return self
