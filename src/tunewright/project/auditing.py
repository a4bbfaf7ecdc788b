"""The whole audit: of a file that is in no project, read as `init` would read it, or of a project's rows after the split.

    audit_file(Path("tickets.csv")).audit
    audit_project(file, root, made)          # made: the artifacts of ingest, prepare and split

What the base makes of the rows (tokens, the loss mask, what the gate before training would refuse) is looked at with the
base that the project names, and without one with the embedded base.
"""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, NamedTuple

from tunewright.core.errors import DataError, ModelError, UserError
from tunewright.core.events import Emit, silent
from tunewright.core.example import Example
from tunewright.core.files import read_json
from tunewright.core.spec import Spec
from tunewright.core.task import JsonOutput
from tunewright.data.audit.audit import TRAIN, Audit, Finding
from tunewright.data.audit.kinds import KINDS, costs
from tunewright.data.audit.lengths import histogram
from tunewright.data.audit.seen import ALL
from tunewright.data.audit.whole import PERSONAL_CHARS, AuditFinding, WholeAudit, in_order, whole_audit
from tunewright.data.examples import Examples
from tunewright.data.ingest import REJECTS, SUMMARY, IngestSummary
from tunewright.data.names import did_you_mean
from tunewright.data.parts import PARTS
from tunewright.data.recipe import OpResult
from tunewright.data.spec import DataSpec
from tunewright.models.base import EMBEDDED
from tunewright.models.machine import free_cores
from tunewright.project.audit_against import Against, leaks_against, read_against
from tunewright.project.audit_reading import method_of, read_rows
from tunewright.project.audit_tokens import Reader, gate_tokens, look_at_tokens
from tunewright.project.file import ProjectFile
from tunewright.project.set_aside import set_aside
from tunewright.project.stages.data import load_accounts
from tunewright.project.suite_leaks import KINDS as LEAKS
from tunewright.project.suite_leaks import leak_findings, suite_leaks
from tunewright.store.artifact import Artifact
from tunewright.store.store import Store

if TYPE_CHECKING:
    from tunewright.project.project import Project

MAX_LENGTH = 1024
"""Tokens of the longest row where no project says it: train.max_length's own default."""


class Audited(NamedTuple):
    """A file's audit."""

    audit: WholeAudit
    summary: IngestSummary
    """Rows read and set aside, by the reason's kind."""
    why: str
    """Which columns were taken for what."""


class AuditSpec(Spec):
    """How an audit looks."""

    base: str | None = None
    """The base that rows are rendered for; none: the embedded one."""
    max_length: int | None = None
    """Tokens of the longest row; none: the project's, or MAX_LENGTH."""
    method: str | None = None
    """The method that rows are to train; none: the project's, or the one that goes with the rows."""
    output: JsonOutput | None = None
    """What answers are held against; none: what the project's task says."""
    kinds: tuple[str, ...] | None = None
    """Of these kinds no others are looked for."""
    against: tuple[str, ...] = ()
    """Files, folders or hub names of what is to test: rows that training shares with them are told."""


def audit_file(
    path: Path,
    columns: dict[str, str] | None = None,
    form: str | None = None,
    looked: AuditSpec | None = None,
    *,
    file_format: str | None = None,
) -> Audited:
    """Look a file, a folder of files or hub:owner/name over; `columns` (input, expected, text, …), a `form` (alpaca, …) or a
    source's format (jsonl, slack, …) where the guess is not wanted.

    Raises DataError where it cannot be read, or holds no row that can be used; UserError for a kind, method or format that
    is not.
    """
    looked = looked or AuditSpec()
    _known(looked)
    held = read_against([Path(one) for one in looked.against], Path.cwd(), columns, form, file_format, path)
    with TemporaryDirectory() as scratch:
        rows, source, summary, rejects = read_rows(
            path, columns, form, Path(scratch), file_format=file_format
        )
        method = looked.method or method_of(rows)
        reader = Reader(looked.base or EMBEDDED, Path.cwd(), method, looked.max_length or MAX_LENGTH)
        found = _with_tokens({ALL: rows}, (), reader, looked)
        if looked.base is None and found.tokens:
            found = _with(found, notes=("tokens are those of the embedded base; --base names another",))
        # rows that no check saw are told whatever was looked for
        found = _with(found, set_aside(summary, rejects, DataSpec().reject_budget))
        found = _with(found, *_against(held, rows, ALL, looked))
    return Audited(found, summary, source.why)


def read_schema(path: Path) -> JsonOutput:
    """The JSON Schema of a file. Raises DataError where it is not there, or no JSON object."""
    try:
        found = read_json(path)
    except OSError as error:
        raise DataError(f"the schema cannot be read: {error.strerror}", where=str(path)) from None
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        raise DataError("the schema is no JSON object", where=str(path))
    return JsonOutput(schema=found)


def audit_opened(project: "Project", looked: AuditSpec | None = None) -> WholeAudit:
    """Look over a project's rows; what is stale is done first, up to the split."""
    made = {outcome.step: outcome.artifact for outcome in project.run("split", ask=False).outcomes}
    found = audit_project(project.file, project.root, made, looked)
    return _with_suites(
        found, project.file, project.root, project.store, made["split"], silent, _kinds(looked)
    )


def audit_project(
    file: ProjectFile, root: Path, made: Mapping[str, Artifact], looked: AuditSpec | None = None
) -> WholeAudit:
    """Look over what the split made of a project's rows; `made` has the artifacts of ingest, prepare and split."""
    looked = looked or AuditSpec()
    _known(looked)
    looked = looked.model_copy(update={"output": looked.output or _output(file)})
    held = read_against([Path(one) for one in looked.against], root)
    spec = file.train
    reader = Reader(
        looked.base or file.base,
        root,
        looked.method or spec.method,
        looked.max_length or spec.max_length,
        file.task.system,
        spec.adapter if looked.base is None else None,
        spec.over_long,
    )
    accounts = load_accounts(made["prepare"].path)
    parts = _parts(made["split"])
    found = _with_tokens(parts, accounts, reader, looked, _of_split(made["split"]))
    found = _with(found, _set_aside(made["ingest"]))
    return _with(found, *_against(held, parts[TRAIN], TRAIN, looked))


def audit_for_report(
    file: ProjectFile, root: Path, store: Store, made: Mapping[str, Artifact], emit: Emit
) -> WholeAudit:
    """The audit that a report shows, from the artifacts of ingest, prepare, split and gate, and the suites' files.

    Tokens are the gate's; in more than a few megabytes personal data and secrets are looked for in evenly drawn rows, near
    duplicates not at all, and a note says so.
    """
    parts = _parts(made["split"])
    size = sum(made["split"].file(f"{part}.jsonl").stat().st_size for part in parts)
    accounts = load_accounts(made["prepare"].path)
    found = whole_audit(
        parts,
        accounts,
        method=file.train.method,
        output=_output(file),
        split=_of_split(made["split"]),
        deep=size <= PERSONAL_CHARS,
    )
    gate = read_json(made["gate"].file("gate.json"))
    # what a folder is called here is no part of an artifact
    base = Path(file.base).name if Path(file.base).expanduser().is_absolute() else file.base
    tokens = gate_tokens(gate, file.train.max_length, base)
    sizes = histogram(tokens.part, "tokens", [size for size in gate["lengths"] if size])
    found = _with(found, _set_aside(made["ingest"]))
    found = _with_suites(found, file, root, store, made["split"], emit)
    return found.model_copy(update={"tokens": (tokens,), "histograms": (*found.histograms, sizes)})


def _kinds(looked: AuditSpec | None) -> frozenset[str] | None:
    return None if looked is None or looked.kinds is None else frozenset(looked.kinds)


def _with(found: WholeAudit, findings: Iterable[AuditFinding] = (), notes: Iterable[str] = ()) -> WholeAudit:
    """The audit and what else was found, in order."""
    more = {"findings": in_order([*found.findings, *findings]), "notes": (*found.notes, *notes)}
    return found.model_copy(update=more)


def _set_aside(ingest: Artifact) -> list[AuditFinding]:
    """What an ingest that kept to its budget set aside."""
    summary = IngestSummary.model_validate(read_json(ingest.file(SUMMARY)))
    return set_aside(summary, ingest.file(REJECTS), budget=1)


def _with_suites(
    found: WholeAudit,
    file: ProjectFile,
    root: Path,
    store: Store,
    split: Artifact,
    emit: Emit,
    kinds: frozenset[str] | None = None,
) -> WholeAudit:
    """The audit and what suites' own files share with the rows; a note where a suite cannot be made."""
    if kinds is not None and not kinds & set(LEAKS):
        return found
    try:
        leaks = suite_leaks(file, root, store, split, emit, LEAKS if kinds is None else kinds)
    except UserError as error:
        first = f"{error.where}: {error.message}" if error.where else error.message
        return _with(found, notes=(f"suites were not held against the rows: {first.rstrip('.')}",))
    return _with(found, leak_findings(leaks), leaks.notes)


def _against(
    held: Sequence[Against], rows: Sequence[Example], part: str, looked: AuditSpec
) -> tuple[list[AuditFinding], list[str]]:
    """What they share with the rows, and what was not looked at."""
    return leaks_against(held, rows, part, LEAKS if looked.kinds is None else looked.kinds)


def _of_split(split: Artifact) -> list[Finding]:
    """What the split says of how it shared rows out."""
    found = Audit.model_validate(read_json(split.file("audit.json"))).findings
    return [finding for finding in found if finding.kind == "split"]


def _output(file: ProjectFile) -> JsonOutput | None:
    return file.task.output if isinstance(file.task.output, JsonOutput) else None


def _parts(split: Artifact) -> dict[str, Sequence[Example]]:
    return {str(part): Examples(split.file(f"{part}.jsonl")) for part in PARTS}


def _with_tokens(
    parts: Mapping[str, Sequence[Example]],
    accounts: Sequence[OpResult],
    reader: Reader,
    looked: AuditSpec,
    split: Sequence[Finding] = (),
) -> WholeAudit:
    """The audit, and what the base makes of the rows. A base that cannot be used is a note, unless it was asked for."""
    kinds = _kinds(looked)
    found = whole_audit(
        parts,
        accounts,
        method=reader.method,
        output=looked.output,
        kinds=kinds,
        split=split,
        workers=free_cores(),
    )
    if "tokens" not in costs(kinds):
        return found
    try:
        tokens = look_at_tokens(parts, reader)
    except ModelError as error:
        if looked.base is not None:
            raise
        note = f"tokens were not counted: {str(error).rstrip('.')}"
        return found.model_copy(update={"notes": (*found.notes, note)})
    findings = [one for one in tokens.findings if kinds is None or one.kind in kinds]
    return found.model_copy(
        update={
            "findings": in_order([*found.findings, *findings]),
            "tokens": tokens.rows,
            "histograms": (*found.histograms, *tokens.histograms),
            "notes": (*found.notes, *tokens.notes),
        }
    )


def _known(looked: AuditSpec) -> None:
    """Raises UserError for a kind or a method that there is not."""
    for kind in looked.kinds or ():
        if kind not in KINDS:
            raise UserError(
                f"no finding is named {kind!r}; there are {', '.join(KINDS)}", fix=did_you_mean(kind, KINDS)
            )
    if looked.against and looked.kinds is not None and not {*looked.kinds} & {*LEAKS}:
        raise UserError(
            "files to hold rows against were named, and no leaks are looked for",
            fix=f"Look for {' or '.join(LEAKS)} too, or for everything.",
        )
    if looked.method is not None:
        from tunewright.train.methods import find_method

        find_method(looked.method)
    if looked.max_length is not None and looked.max_length < 1:
        raise UserError(f"max_length is {looked.max_length}; it is a number of tokens from 1 on")
