"""What the machine's facts mean for the project at hand, in plain sentences."""

from pathlib import Path

from tunewright.core.errors import ProjectFileError
from tunewright.models.machine import MachineFacts
from tunewright.project.file import ProjectFile
from tunewright.project.reading import read

_GB = 1024**3
_DISK_NEEDED = 2 * _GB


def advice(facts: MachineFacts, file: Path | None) -> list[str]:
    """Sentences for `doctor`. `file` is the project file at hand, or none; one that cannot be read is said to be so."""
    lines = [_cores(facts)]
    if facts.disk_free < _DISK_NEEDED:
        lines.append(
            f"Only {facts.disk_free / _GB:.1f} GB of disk are free: artifacts of a large base need more."
        )
    if file is None:
        lines.append("There is no project here: `tunewright init NAME --data FILE` makes one.")
        return lines
    try:
        return [*lines, _project(facts, read(file))]
    except ProjectFileError as error:
        return [*lines, f"The project file cannot be read: {error.problems[0]}"]


def shown(facts: MachineFacts) -> list[tuple[str, str]]:
    """The facts as (what, value) rows, sizes in GB."""
    return [
        ("torch", facts.torch),
        ("accelerator", facts.accelerator or "none"),
        ("bf16 in hardware", "yes" if facts.bf16 else "no"),
        ("cores free", f"{facts.cores_free} of {facts.cores}"),
        ("memory free", f"{facts.memory_available / _GB:.1f} of {facts.memory_total / _GB:.1f} GB"),
        ("disk free", f"{facts.disk_free / _GB:.1f} GB"),
        ("extras", ", ".join(facts.extras) or "none"),
    ]


def _cores(facts: MachineFacts) -> str:
    if facts.cores_free < facts.cores:
        return (
            f"Work will use {facts.cores_free} of {facts.cores} cores: the others are busy, and more threads than"
            " free cores are many times slower."
        )
    return (
        f"Work will use all {facts.cores} cores."
        if facts.cores > 1
        else "Work will use the one core there is."
    )


def _project(facts: MachineFacts, file: ProjectFile) -> str:
    if file.base == "embedded":
        return f"{file.name} starts from the embedded base: it trains here in minutes."
    if facts.accelerator is None:
        return f"{file.name} starts from {file.base}, and there is no accelerator: expect hours, not minutes."
    return f"{file.name} starts from {file.base}, on {facts.accelerator}."
