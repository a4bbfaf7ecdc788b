"""Aliases: names such as `production` that point at a release, with the way back."""

from tunewright.core.errors import UserError
from tunewright.store.catalogue import Catalogue

PRODUCTION = "production"


def history(catalogue: Catalogue, alias: str = PRODUCTION) -> list[str]:
    """The releases the alias stands on, oldest first: the last is the present one, the one before the way back."""
    stack: list[str] = []
    for move in catalogue.alias_moves(alias):
        if move.move == "promote":
            stack.append(move.release)
        else:
            stack.pop()
    return stack


def current(catalogue: Catalogue, alias: str = PRODUCTION) -> str | None:
    """The release the alias names now, or none."""
    stack = history(catalogue, alias)
    return stack[-1] if stack else None


def promote(catalogue: Catalogue, release: str, alias: str = PRODUCTION) -> bool:
    """Let the alias name a release. False when it names it already."""
    if current(catalogue, alias) == release:
        return False
    catalogue.move_alias(alias, "promote", release)
    return True


def withdrawn(catalogue: Catalogue, alias: str = PRODUCTION) -> set[str]:
    """The releases that a rollback left and nobody promoted since: a run does not promote them again by itself."""
    stack: list[str] = []
    left: set[str] = set()
    for move in catalogue.alias_moves(alias):
        if move.move == "promote":
            stack.append(move.release)
            left.discard(move.release)
        else:
            left.add(stack.pop())
    return left


def rollback(catalogue: Catalogue, alias: str = PRODUCTION) -> str:
    """Set the alias back to the release before; returns it. Raises UserError when there is none."""
    stack = history(catalogue, alias)
    if len(stack) < 2:
        state = "names its first release" if stack else "names no release yet"
        raise UserError(
            f"{alias} {state}: there is none before to return to",
            fix="`tunewright release` lists them, `tunewright release promote` chooses one.",
        )
    catalogue.move_alias(alias, "rollback", stack[-2])
    return stack[-2]
