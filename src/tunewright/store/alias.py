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


def was_promoted(catalogue: Catalogue, release: str, alias: str = PRODUCTION) -> bool:
    """Whether the alias ever named this release: one rolled back is not promoted again by itself."""
    return any(move.move == "promote" and move.release == release for move in catalogue.alias_moves(alias))


def rollback(catalogue: Catalogue, alias: str = PRODUCTION) -> str:
    """Set the alias back to the release before; returns it. Raises UserError when there is none."""
    stack = history(catalogue, alias)
    if len(stack) < 2:
        state = "names its first release" if stack else "names no release yet"
        raise UserError(f"{alias} {state}: there is none before to return to")
    catalogue.move_alias(alias, "rollback", stack[-2])
    return stack[-2]
