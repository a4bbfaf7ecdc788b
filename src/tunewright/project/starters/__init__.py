"""Recipe starters: the project file that `tunewright init --recipe NAME` begins with. One file each, found by its name.

A starter's module has `title` and `when` (for `init --help` and the file's head), `PREFER` (names of the expected
column to try first) and `start(name, data, columns, *, base="embedded") -> dict`: the project file's values, in the
file's order.
"""

from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, NamedTuple

from tunewright.core.errors import Problem, ProjectFileError


class Starter(NamedTuple):
    """A way to begin a project."""

    name: str
    title: str
    """What it makes, in a few words."""
    when: str
    """When it is the one to take."""
    prefer: tuple[str, ...]
    """Names to look for first when the column of the expected answer is guessed."""
    start: Callable[..., dict[str, Any]]
    """start(name, data, columns, *, base="embedded"): the project file's values. Raises DataError for unusable data."""


def names() -> list[str]:
    """Every starter's name, in alphabetical order."""
    return sorted(
        module.name.replace("_", "-") for module in iter_modules(__path__) if not module.name.startswith("_")
    )


def starter(name: str) -> Starter:
    """The starter of that name. Raises ProjectFileError, with the names there are, for another."""
    if name not in names():
        raise ProjectFileError(
            [Problem(f"there is no recipe {name!r}", "--recipe", f"The recipes are {', '.join(names())}.")]
        )
    module = import_module(f"{__name__}.{name.replace('-', '_')}")
    return Starter(name, module.title, module.when, tuple(module.PREFER), module.start)


def begin(
    recipe: str,
    name: str,
    data: Path | None = None,
    columns: list[str] | None = None,
    *,
    base: str = "embedded",
) -> dict[str, Any]:
    """The values that a new project file begins with. Raises ProjectFileError or DataError."""
    return starter(recipe).start(name, data, columns, base=base)


def why(recipe: str, data: Path | None = None, columns: list[str] | None = None) -> str | None:
    """Why the columns, or another tool's form, were taken for what they are; None for chat rows.

    Of a chat tool's export it says what only its owner knows. Raises as `begin` does.
    """
    from tunewright.project.starters._shape import look

    found = look(data, columns, starter(recipe).prefer)
    return found.roles.why if found.roles else found.said
