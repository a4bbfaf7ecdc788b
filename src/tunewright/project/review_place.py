"""Where in a recipe people review rows, and which file a reviewer's decisions go to."""

import getpass
import glob
import re
from collections.abc import Sequence
from fnmatch import fnmatch
from typing import NamedTuple

from tunewright.core.errors import UserError
from tunewright.data.names import did_you_mean, listed
from tunewright.data.ops.review import REVIEWS
from tunewright.data.recipe import Node, graph
from tunewright.data.review.decision import LONGEST_NAME
from tunewright.project.file import ProjectFile


class ReviewPlace(NamedTuple):
    """Where in the recipe rows are reviewed, and by whom."""

    node: Node | None
    """The operation; none: the recipe has none, and what it ends with is reviewed."""
    before: tuple[Node, ...]
    """The operations that its rows come through."""
    takes: tuple[str, ...]
    """The sources or operations whose rows it takes."""
    pattern: str
    """Its files of decisions, below the project's folder."""
    by: str
    """Who reviews."""
    file: str
    """The file among these that this reviewer's decisions go to."""


def find_place(file: ProjectFile, at: str | None, by: str | None) -> ReviewPlace:
    """Where the recipe has its review: the operation named `at`, or the only one there is.

    Raises UserError where there are several, or none of that name, and where a source would take decisions for rows.
    """
    nodes = graph(file.recipe, file.sources)
    reviews = {node.id: node for node in nodes if node.spec.op == "review"}
    if at is not None and at not in reviews:
        fix = did_you_mean(at, reviews) or "Put `- {op: review}` where rows are to be reviewed."
        raise UserError(f"no review is named {at!r}; there are {listed(reviews)}", where="recipe", fix=fix)
    if at is None and len(reviews) > 1:
        fix = f"Say which: --at {next(iter(reviews))}."
        raise UserError(f"the recipe has several reviews: {listed(reviews)}", where="recipe", fix=fix)
    node = reviews[at or next(iter(reviews))] if reviews else None
    if node is None:
        pattern, takes = REVIEWS, (nodes[-1].id,) if nodes else tuple(file.sources)
    else:
        assert node.spec.op == "review"
        pattern, takes = node.spec.file, node.needs
    name = _reviewer(by)
    own = _own_file(pattern, name)
    _refuse_source(file, own)
    return ReviewPlace(node, _leading(nodes, takes), takes, pattern, name, own)


def _leading(nodes: Sequence[Node], takes: Sequence[str]) -> tuple[Node, ...]:
    """The operations that lead to these names, in order."""
    wanted = set(takes)
    for node in reversed(nodes):
        if node.id in wanted:
            wanted.update(node.needs)
    return tuple(node for node in nodes if node.id in wanted)


def _reviewer(by: str | None) -> str:
    """Who reviews: the name given, or the one that the machine knows its user by."""
    if by is not None:
        if len(by) > LONGEST_NAME or not by.isprintable():
            said = (
                f"the name has more than {LONGEST_NAME} characters"
                if by.isprintable()
                else "the name is no text"
            )
            raise UserError(said, where="--by", fix="Name yourself as colleagues know you: --by ann.")
        return by.strip()
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""


def _own_file(pattern: str, by: str) -> str:
    """The file among those of a pattern that this reviewer's decisions go to."""
    if not glob.has_magic(pattern):
        return pattern
    name = re.sub(r"[^\w.-]", "-", by).strip(".-")
    if pattern.count("*") != 1 or glob.has_magic(pattern.replace("*", "")) or not name:
        raise UserError(
            f"the file to write to is not told by {pattern!r}",
            where="recipe, review.file",
            fix="Write one star for the reviewer's name (reviews/*.jsonl), and give a name: --by ann.",
        )
    return pattern.replace("*", name)


def _refuse_source(file: ProjectFile, name: str) -> None:
    """Raises UserError where a source would read the file of decisions as rows."""
    for source, spec in file.sources.items():
        pattern = spec.path or ""
        if fnmatch(name, pattern) or fnmatch(name, pattern.replace("**/", "")):
            raise UserError(
                f"decisions would go to {name}, which the source {source!r} takes for rows ({pattern})",
                where=f"sources.{source}.path",
                fix="Name the source's files more closely, or the review's: {op: review, file: reviews/*.jsonl}.",
            )
