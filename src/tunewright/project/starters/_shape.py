"""What every starter's project file has in common, in the file's order."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.core.errors import DataError
from tunewright.data.sources._exports import Export, export_of
from tunewright.data.spec import Format
from tunewright.decide.spec import PriceSpec
from tunewright.project.starters._form import told
from tunewright.project.starters._roles import Roles, guess_roles
from tunewright.project.starters._sample import Sample, Values, read_sample

EMBEDDED = "embedded"
REHEARSAL = 0.25
"""General rows beside the task's: the small base forgot 5 to 9 points of general skill with them, 27 without (LOG.md)."""


_ASKED = {
    "slack": "Which channels answer as the model is to, only you know: leave the others out in the recipe, say"
    " - {op: filter, keep: 'channel == \"help\"'}.",
    "chatgpt": "Whether people checked its answers, only you know: then set written_by: people for the source; else they"
    " count as a model's, which are never tested on, and rows of people's have to be added.",
}
"""Of exports what no file tells."""


class Look(NamedTuple):
    """What is known of the data before there is a project."""

    path: str
    rows: list[Values]
    numbers: list[int]
    """Each row's line or record number."""
    roles: Roles | None
    """None for chat rows."""
    form: Any = None
    """Of another tool's rows their form; `rows` are then the chat rows that they become."""
    said: str | None = None
    """Why they have it, or are read so."""
    format: Format = "auto"
    """Of an export the source's format."""

    @property
    def answers(self) -> list[Any]:
        """The expected column's values."""
        return [row[self.roles.expected] for row in self.rows if self.roles and self.roles.expected in row]


def look(data: Path | None, columns: list[str] | None, prefer: Sequence[str] = ()) -> Look:
    """A look at the data. Without any, rows of `input` and `expected` are taken to come.

    `columns`, where given, is the header to choose from. Raises DataError.
    """
    if data is None:
        names = columns or ["input", "expected"]
        return Look("data.jsonl", [], [], guess_roles(names, [], prefer))
    if columns is None and (export := export_of(data)) is not None:
        return _exported(data, export)
    sample: Sample = read_sample(data)
    if columns is None and (found := told(sample, data)):
        return Look(str(data), found.rows, found.numbers, None, found.form, found.said)
    if sample.is_chat:
        return Look(str(data), sample.rows, sample.numbers, None)
    missing = [name for name in columns or [] if name not in sample.columns]
    if missing:
        raise DataError(
            f"there is no column {missing[0]!r}",
            where=str(data),
            fix=f"There are {', '.join(sample.columns)}.",
        )
    roles = guess_roles(columns or sample.columns, sample.rows, prefer)
    return Look(str(data), sample.rows, sample.numbers, roles)


def _exported(data: Path, export: Export) -> Look:
    """A look at the conversations of a chat tool's export."""
    conversations = data / export.entry
    sample = read_sample(conversations, file_format=export.format)
    said = f"It is {export.what}. {_ASKED[export.format]}"
    return Look(str(conversations), sample.rows, sample.numbers, None, said=said, format=export.format)


def project_values(
    name: str,
    found: Look,
    *,
    system: str,
    graders: list[dict[str, Any]],
    train: dict[str, Any],
    base: str,
    learning_rate: float,
    output: dict[str, Any] | None = None,
    gates: dict[str, Any] | None = None,
    by_answer: bool = False,
) -> dict[str, Any]:
    """The project file's values. `learning_rate` is for a real base; the embedded one takes a faster one, and rehearses.

    `by_answer` cuts the scores by the expected answer, too.
    """
    roles = found.roles
    target: dict[str, Any] = {"examples": "test", "graders": graders}
    slices = [*roles.slices, *([roles.expected] if by_answer else [])] if roles else []
    if slices:
        target["slices"] = slices
    own = {"rehearsal": REHEARSAL} if base == EMBEDDED else {"learning_rate": learning_rate}
    return {
        "name": name,
        "task": {
            "system": system,
            **({"input": "{{ input }}"} if roles else {}),
            **({"output": output} if output else {}),
        },
        "base": base,
        "sources": {"data": _source(found, by_answer)},
        "recipe": [{"op": "drop_duplicates"}],
        **_split(roles),
        "suites": {"target": target, "general": {"examples": "general"}},
        "baselines": {"prompt": True, "few_shot": [2, 4]},
        **({"decoding": {"constrained": True}} if output else {}),
        "train": {**train, **own},
        "gates": {"beats_baselines": True, **(gates or {}), "max_general_loss": 3.0},
        "prices": PriceSpec().model_dump(),
    }


def _source(found: Look, by_answer: bool) -> dict[str, Any]:
    if found.form is not None:
        return {"path": found.path, "form": found.form}
    if found.format != "auto":
        return {"path": found.path, "format": found.format}
    if found.roles is None:  # told by the rows again, whatever the file: the format chat is lines
        lines = Path(found.path).suffix.lower() in (".jsonl", ".ndjson")
        return {"path": found.path, **({"format": "chat"} if lines else {})}
    answer = found.roles.expected
    # a column that is the answer becomes a field, to slice by, only where it is named as one
    field = {answer: answer} if by_answer else {}
    return {"path": found.path, "columns": {"input": found.roles.input, "expected": answer, **field}}


def _split(roles: Roles | None) -> dict[str, Any]:
    if roles and roles.split:
        return {"split": {"column": roles.split}}
    group = {"group_by": roles.group} if roles and roles.group else {}
    return {"split": {"train": 0.8, "dev": 0.1, "test": 0.1, **group}}
