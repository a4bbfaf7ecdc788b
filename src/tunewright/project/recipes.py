"""A recipe from Python, without a project file: sources and operations as the file has them, or as our types.

    done = apply_recipe({"tickets": "tickets.csv"}, [{"op": "drop_duplicates"}, Filter(keep="chars < 500")], "clean")
    for row in done.examples: ...

The rows are those that a project file of the same sources, task and operations gives (`tunewright run prepare`).
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from tunewright.core.errors import UserError
from tunewright.core.example import Example
from tunewright.data.examples import Examples
from tunewright.data.ingest import EXAMPLES, SUMMARY, ingest
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.op import FilesOnly
from tunewright.data.recipe import RecipeResult, apply_recipe, graph
from tunewright.data.recipe_fields import check_fields
from tunewright.data.spec import SourceSpec
from tunewright.models.machine import free_cores
from tunewright.project.file import ProjectFile
from tunewright.project.reading import complete
from tunewright.project.written import Written, as_written

Source = str | Path | Mapping[str, Any] | SourceSpec | Iterable[Mapping[str, Any]]
"""A path, a source's settings, or rows."""
Op = Mapping[str, Any] | RecipeOp
GIVEN, INGEST, RECIPE = "given", "ingest", "recipe"
"""Folders of a result: rows that were given as such, what was read, what each operation made."""


def apply(
    sources: Source | Mapping[str, Source],
    ops: Sequence[Op],
    out: Path,
    *,
    task: Mapping[str, Any] | None = None,
    root: Path = Path(),
) -> RecipeResult:
    """Read the sources and work the recipe into the folder `out`: `tunewright.apply_recipe` tells of it."""
    if _holds_something(out):
        fix = "Name a folder that is not there yet: the rows stay in it."
        raise UserError("there is something already", where=str(out), fix=fix)
    named = _named(sources)
    given = [out / GIVEN / f"source-{number}.jsonl" for number in range(1, len(named) + 1)]
    try:
        settings = {
            name: _settings(name, source, path)
            for (name, source), path in zip(named.items(), given, strict=True)
        }
        recipe = [as_written(op) for op in ops]
        values = {"name": RECIPE, "task": dict(task or {}), "sources": settings, "recipe": recipe}
        file = complete(Written(root / "apply_recipe", {}, values, {}), own_suites=False)
        return _worked(file, out, root)
    except BaseException:
        _take_back(out, given)
        raise


def _holds_something(out: Path) -> bool:
    """Whether the folder holds a result, whose examples are read from it as they are asked for, or anything else.

    What a killed call left of its reading does not count.
    """
    if not out.exists():
        return False
    strange = not out.is_dir() or any(one.name not in (GIVEN, INGEST) for one in out.iterdir())
    return strange or (out / INGEST / SUMMARY).exists()


def _take_back(out: Path, given: Sequence[Path]) -> None:
    """Leave nothing that looks like a result; rejected rows stay, for what is told names their file."""
    shutil.rmtree(out / RECIPE, ignore_errors=True)
    for path in (*given, out / INGEST / SUMMARY, out / INGEST / EXAMPLES):
        path.unlink(missing_ok=True)
    for folder in (out / GIVEN, out / INGEST, out):
        with suppress(OSError):  # it is not there, or holds something
            folder.rmdir()


def _worked(file: ProjectFile, out: Path, root: Path) -> RecipeResult:
    threads, read = free_cores(), out / INGEST
    summary = ingest(
        file.sources, file.task, root, read, reject_budget=file.data.reject_budget, workers=threads
    )
    rows, begin = dict[str, Sequence[Example]](), 0
    for name, counts in summary.sources.items():
        rows[name] = Examples(read / EXAMPLES, begin, counts.examples)
        begin += counts.examples
    nodes = graph(file.recipe, rows)
    check_fields(nodes, rows)
    if not nodes:
        return RecipeResult(Examples(read / EXAMPLES), [], read)
    return apply_recipe(nodes, rows, out / RECIPE, means=FilesOnly(root), workers=threads)


def _named(sources: Source | Mapping[str, Source]) -> dict[str, Source]:
    """The sources by name; one without a name is called `rows`. A mapping of `path` or `sql` is one source's settings.

    Raises UserError where other keys of such a mapping are no settings.
    """
    if not isinstance(sources, Mapping):
        return {"rows": sources}
    if not {"path", "sql"} & sources.keys():
        return dict(sources)
    if strange := sorted(map(str, sources.keys() - SourceSpec.model_fields.keys())):
        fix = "Give one source's settings (path, columns, …), or sources by names other than path and sql."
        raise UserError(f"{strange[0]!r:.60} is no setting of a source", where="sources", fix=fix)
    return {"rows": sources}


def _settings(name: str, source: Source, path: Path) -> dict[str, Any]:
    """A source's settings; of rows that are given as such, those of the file that they are written to."""
    if isinstance(source, str | Path):
        return {"path": str(source)}
    if isinstance(source, Mapping | SourceSpec):
        found: dict[str, Any] = as_written(source)
        return found
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as stream:
        for number, row in enumerate(_rows(name, source), 1):
            stream.write(_line(row, f"{name}, row {number}") + "\n")
    return {"path": str(path.absolute())}


def _rows(name: str, source: Any) -> Iterable[Any]:
    if isinstance(source, Iterable):
        return source
    fix = 'Give a path, its settings ({"path": "tickets.csv", "columns": {"input": "text"}}), or a list of rows.'
    raise UserError(f"the source {name!r} is {source!r:.60}", where="sources", fix=fix)


def _line(row: Any, where: str) -> str:
    if not isinstance(row, Mapping):
        raise UserError(
            f"the row is {row!r:.60}", where=where, fix='Give rows as {"input": …, "expected": …}.'
        )
    try:
        text = json.dumps(dict(row), ensure_ascii=False, allow_nan=False)
        text.encode()
    except (TypeError, ValueError, RecursionError) as error:
        fix = "Give texts, numbers, true, false, null, lists and objects."
        raise UserError(f"the row is no JSON ({error})", where=where, fix=fix) from None
    return text
