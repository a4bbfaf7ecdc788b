"""Every error a user may see, in one tree.

    TunewrightError          anything we raise on purpose
    ├── UserError            the input is at fault; the CLI prints it without a traceback and exits with 2
    │   ├── ProjectFileError tunewright.yaml (one or many problems)
    │   ├── DataError        a source, a row, a data set
    │   ├── ModelError       a base, a tokenizer, a template, an adapter
    │   └── GateError        a check refused to let the work go on
    └── IntegrityError       a stored thing is not what its manifest says

A message is one sentence, without its full stop, that says what is wrong; `where` says the place (file:line, row, field);
`fix` the way out.
"""

from dataclasses import dataclass


class TunewrightError(Exception):
    """Anything Tunewright raises on purpose."""

    def __init__(self, message: str, *, where: str | None = None, fix: str | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.fix = fix

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        way_out = f". {self.fix}" if self.fix else ""
        return f"{place}{self.message.rstrip('.') if self.fix else self.message}{way_out}"


class UserError(TunewrightError):
    """The input is at fault, and its owner can mend it."""


@dataclass(frozen=True)
class Problem:
    """One thing wrong: what, where, and the way out. Several can be shown at once."""

    message: str
    where: str | None = None
    fix: str | None = None
    examples: tuple[str, ...] = ()
    """Ids of the examples that `where` names; who knows the rows they came from can name those."""

    def __str__(self) -> str:
        return str(UserError(self.message, where=self.where, fix=self.fix))


class ProblemsError(UserError):
    """A user error that carries every problem found, not only the first."""

    def __init__(self, problems: list[Problem]) -> None:
        first = problems[0]
        super().__init__(first.message, where=first.where, fix=first.fix)
        self.problems = problems

    def __str__(self) -> str:
        return "\n".join(str(problem) for problem in self.problems)


class ProjectFileError(ProblemsError):
    """tunewright.yaml cannot be used as it stands."""


class DataError(UserError):
    """A source, a row or a data set cannot be used."""


class ModelError(UserError):
    """A base, a tokenizer, a chat template or an adapter cannot be used."""


class GateError(ProblemsError):
    """A check refused to let the work go on."""


class IntegrityError(TunewrightError):
    """A stored thing is not what its manifest says it is."""
