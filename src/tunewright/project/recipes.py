"""A recipe from Python, without a project file: sources and operations as the file has them, or as our types.

    done = apply_recipe({"tickets": "tickets.csv"}, [{"op": "drop_duplicates"}, Filter(keep="chars < 500")], "clean")
    for row in done.examples: ...

The rows are those that a project file of the same sources, task and operations gives (`tunewright run prepare`).
"""

import json
import shutil
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tunewright.core.errors import UserError
from tunewright.core.example import Example
from tunewright.core.hashing import SHORT, hash_text
from tunewright.data.examples import Examples
from tunewright.data.ingest import EXAMPLES, ingest
from tunewright.data.ops import RecipeOp
from tunewright.data.ops.op import FilesOnly, OpSpec
from tunewright.data.recipe import RecipeResult, apply_recipe, graph
from tunewright.data.recipe_fields import check_fields
from tunewright.data.spec import SourceSpec
from tunewright.models.machine import free_cores
from tunewright.project.file import ProjectFile
from tunewright.project.reading import complete
from tunewright.project.written import Written

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
    if out.exists() and (not out.is_dir() or any(one.name not in (GIVEN, INGEST) for one in out.iterdir())):
        fix = "Name a folder that is not there yet: the rows stay in it."
        raise UserError("there is something already", where=str(out), fix=fix)
    settings = {name: _settings(name, source, out) for name, source in _named(sources).items()}
    recipe = [_plain(op) for op in ops]
    values = {"name": RECIPE, "task": dict(task or {}), "sources": settings, "recipe": recipe}
    file = complete(Written(root / "apply_recipe", {}, values, {}))
    try:
        return _worked(file, out, root)
    except BaseException:
        shutil.rmtree(out / RECIPE, ignore_errors=True)
        raise


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
    """The sources by name; one without a name is called `rows`."""
    if isinstance(sources, Mapping) and not {"path", "sql"} & sources.keys():
        return dict(sources)
    return {"rows": sources}


def _settings(name: str, source: Source, out: Path) -> dict[str, Any]:
    """A source's settings; of rows that are given as such, those of the file that they are written to."""
    if isinstance(source, str | Path):
        return {"path": str(source)}
    if isinstance(source, Mapping | SourceSpec):
        found: dict[str, Any] = _plain(source)
        return found
    path = out / GIVEN / f"{hash_text(name)[:SHORT] if '/' in name else name}.jsonl"
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


def _plain(settings: Mapping[str, Any] | BaseModel) -> Any:
    """Settings as a file has them: those that were given."""
    if not isinstance(settings, BaseModel):
        return settings if not isinstance(settings, Mapping) else dict(settings)
    said = settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
    return {**({"op": settings.op} if isinstance(settings, OpSpec) else {}), **said}  # type: ignore[attr-defined]
