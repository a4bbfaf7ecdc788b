"""Settings of the evals: suites."""

from typing import Literal

from pydantic import Field

from tunewright.core.spec import Spec
from tunewright.grade.spec import GraderSpec


class SuiteSpec(Spec):
    """Examples and the graders that score replies to them."""

    examples: Literal["test", "general"] | str = "test"
    """`test` is the split's test part, `general` the built-in general suite; else a JSONL file of chat rows."""
    graders: tuple[GraderSpec, ...] = ()
    """The graders, the headline one first; the general suite brings its own for each example."""
    slices: tuple[str, ...] = ()
    """Fields whose values cut the scores into slices."""
    limit: int | None = Field(None, ge=1)
    """At most this many examples (the first in the frozen order)."""
