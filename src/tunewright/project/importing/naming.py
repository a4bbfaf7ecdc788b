"""Names of sources and files, made of what a config calls them."""

import re
from collections.abc import Collection


def slug(name: str) -> str:
    """A name for a source or a file: letters, digits and dashes."""
    return re.sub(r"[^A-Za-z0-9_]+", "-", name.rpartition("://")[2]).strip("-")[-60:].strip("-") or "rows"


def unique(name: str, taken: Collection[str]) -> str:
    """The name, with a number where it is taken."""
    names = (name if at == 1 else f"{name}-{at}" for at in range(1, len(taken) + 2))
    return next(each for each in names if each not in taken)
