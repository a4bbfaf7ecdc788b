"""doctor: what the machine's facts mean for the project at hand, in plain sentences."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tunewright.core.errors import ModelError, ProjectFileError, UserError
from tunewright.models.base import EMBEDDED
from tunewright.models.machine import MachineFacts, machine_facts
from tunewright.models.size import BaseSize, size_at_hand
from tunewright.project.extras import asked
from tunewright.project.file import ProjectFile, file_path, way_to_a_project
from tunewright.project.reading import read

_GB = 1024**3
_DISK_NEEDED = 2 * _GB
_HOURS = 50_000_000
"""Weights from which training without an accelerator takes hours rather than minutes."""
_ADAM = 8
"""Bytes of AdamW's two moments, a trained weight."""
_ADAM_8BIT = 2


class DoctorResult(NamedTuple):
    """What `doctor` found."""

    facts: MachineFacts
    advice: list[str]
    """What the facts mean for work here, and for the project at hand; a sentence or two each."""


def examine(path: Path) -> DoctorResult:
    """The machine, and what it means for the project at `path`. Raises UserError where there is nothing at that path."""
    if not path.exists():
        raise UserError("there is no such folder", where=str(path), fix="Name a folder that is there.")
    facts = machine_facts(path)
    file = file_path(path)
    return DoctorResult(facts, advice(facts, file))


def advice(facts: MachineFacts, file: Path) -> list[str]:
    """Sentences for `doctor`. `file` is the project file at hand; that there is none, or none to read, is said."""
    lines = [_threads(facts)]
    if facts.unused:
        lines.append(f"There is also {' and '.join(facts.unused)}: Tunewright does not use it.")
    if facts.disk_free < _DISK_NEEDED:
        lines.append(
            f"Only {facts.disk_free / _GB:.1f} GB of disk are free: artifacts of a large base need more."
        )
    if not file.is_file():
        return [*lines, f"There is no project here. {way_to_a_project(file.parent)}"]
    try:
        project = read(file)
    except ProjectFileError as error:
        return [*lines, f"The project file cannot be read: {error.problems[0]}"]
    return [*lines, *_project(facts, project, file.parent)]


def shown(facts: MachineFacts) -> list[tuple[str, str]]:
    """The facts as (what, value) rows, sizes in GB."""
    free = facts.accelerator_free
    return [
        ("torch", facts.torch),
        ("accelerator", facts.accelerator or "none"),
        *([] if free is None else [("accelerator's memory free", f"{free / _GB:.1f} GB")]),
        *([("seen, not used", ", ".join(facts.unused))] if facts.unused else []),
        ("bf16 in hardware", "yes" if facts.bf16 else "no"),
        ("threads" if facts.threads_chosen else "cores free", f"{facts.cores_free} of {facts.cores}"),
        ("memory free", f"{facts.memory_available / _GB:.1f} of {facts.memory_total / _GB:.1f} GB"),
        ("disk free", f"{facts.disk_free / _GB:.1f} GB"),
        ("extras", ", ".join(facts.extras) or "none"),
    ]


def _threads(facts: MachineFacts) -> str:
    if facts.threads_chosen:
        threads = "1 thread" if facts.cores_free == 1 else f"{facts.cores_free} threads"
        return f"Work will use {threads}, as TUNEWRIGHT_THREADS says."
    if facts.cores_free < facts.cores:
        return (
            f"Work will use {facts.cores_free} of {facts.cores} cores, a thread each: the others are busy, and more threads"
            " than free cores are many times slower."
        )
    return (
        f"Work will use all {facts.cores} cores, a thread each."
        if facts.cores > 1
        else "Work will use the one core there is."
    )


def _project(facts: MachineFacts, file: ProjectFile, root: Path) -> Iterator[str]:
    """What the machine means for one project: its base, its memory, and the extras it asks for."""
    try:
        size = size_at_hand(file.base, root)
    except ModelError as error:
        yield f"The base of {file.name} cannot be used: {error}"
    else:
        yield _start(facts, file, size)
        if size is not None:
            yield _memory(facts, file, size)
    if file.train.precision == "bf16" and not facts.bf16:
        yield "train.precision is bf16, which this machine does not have in hardware: auto would take fp32."
    yield from _extras(facts, file, root)


def _start(facts: MachineFacts, file: ProjectFile, size: BaseSize | None) -> str:
    if file.base == EMBEDDED:
        return f"{file.name} starts from the embedded base: it trains here in minutes."
    place = f"on {facts.accelerator}" if facts.accelerator else "and there is no accelerator"
    if size is None:
        return (
            f"{file.name} starts from {file.base}, {place}. The base is not on this machine: the first run fetches it, and"
            " `tunewright doctor` can then say whether it fits."
        )
    slow = facts.accelerator is None and size.weights >= _HOURS
    return f"{file.name} starts from {file.base}, {place}{': expect hours, not minutes' if slow else ''}."


def _memory(facts: MachineFacts, file: ProjectFile, size: BaseSize) -> str:
    """Whether the base can be trained in the memory that is free, and the way out where it cannot."""
    kind = file.train.adapter.kind
    free = facts.memory_available if facts.accelerator_free is None else facts.accelerator_free
    where = "" if facts.accelerator_free is None else " on the accelerator"
    needed = training_bytes(facts, file, size)
    kept = {
        "full": f", their gradients and {file.train.optimizer}'s moments",
        "qlora": " in four bits",
    }.get(kind, f" in {'fp32' if kept_width(facts, file, kind) == 4 else 'bf16'}")
    products = file.train.products(facts.bf16)
    said = (
        f"Training multiplies in {products} and keeps the base's {_count(size.weights)} weights{kept},"
        f" {_amount(needed)}; {_amount(free)} are free{where}: "
    )
    if needed < free:
        return said + "it fits, if the rows leave it room; a run is measured before its first step."
    if kind == "qlora":
        return said + "it does not fit. Choose a smaller base."
    packed = size.bytes(kept_width(facts, file, "qlora"), four_bit=True)
    other = f"train.adapter.kind: qlora packs the base in four bits, {_amount(packed)}"
    return said + (
        f"it does not fit. {other}, which fits."
        if packed < free
        else f"it does not fit, and {other}, does not either. Choose a smaller base."
    )


def training_bytes(facts: MachineFacts, file: ProjectFile, size: BaseSize) -> int:
    """Bytes that training takes whatever the rows are: the base's weights, and of `full` what goes with each."""
    kind = file.train.adapter.kind
    if kind == "full":
        moments = _ADAM_8BIT if file.train.optimizer == "adamw8bit" else _ADAM
        return size.weights * (4 + 4 + moments)
    if kind == "qlora":
        return size.bytes(kept_width(facts, file, kind), four_bit=True)
    return size.bytes(kept_width(facts, file, kind))


def kept_width(facts: MachineFacts, file: ProjectFile, kind: str) -> int:
    """Bytes of a weight of the base beside an adapter of a kind."""
    exact = file.train.adapter.model_copy(update={"kind": kind}).keeps_fp32(facts.accelerator is None)
    return 4 if exact or file.train.products(facts.bf16) == "fp32" else 2


def _extras(facts: MachineFacts, file: ProjectFile, root: Path) -> Iterator[str]:
    """What the project file asks for beyond what is always there: which of it is missing, and how to get it."""
    needs = list(asked(file, root))
    yield from (need.missing for need in needs if need.name not in facts.extras)
    if here := [need.name for need in needs if need.name in facts.extras]:
        yield f"Of the extras that it asks for, these are here: {', '.join(dict.fromkeys(here))}."
    if file.decoding.constrained:
        yield "What holds answers to the schema (decoding.constrained) is built in."


def _count(weights: int) -> str:
    return f"{weights / 1e6:,.1f} million" if weights >= 1_000_000 else f"{weights:,}"


def _amount(size: int) -> str:
    return f"{size / _GB:.1f} GB" if size >= _GB else f"{size / 1024**2:.1f} MB"
