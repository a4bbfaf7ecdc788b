"""What the machine's facts mean for the project at hand, in plain sentences."""

from pathlib import Path

from tunewright.models.machine import MachineFacts
from tunewright.project.file import ProjectFile
from tunewright.project.reading import read

_GB = 1024**3


def advice(facts: MachineFacts, file: Path | None) -> list[str]:
    """Sentences for `doctor`. `file` is the project file at hand, or none."""
    lines = [_cores(facts), _memory(facts)]
    if facts.disk_free_gb < 2:
        lines.append(f"Only {facts.disk_free_gb:.1f} GB of disk are free: artifacts of real bases need more.")
    if file is None:
        lines.append("There is no project here: `tunewright init NAME --data FILE` makes one.")
        return lines
    return [*lines, _project(facts, read(file))]


def _cores(facts: MachineFacts) -> str:
    if facts.cores_free < facts.cores:
        return (
            f"{facts.cores_free} of {facts.cores} cores are free: work will use {facts.cores_free} threads, since more"
            " threads than free cores are many times slower."
        )
    return f"All {facts.cores} cores are free: work will use {facts.cores} threads."


def _memory(facts: MachineFacts) -> str:
    return f"{facts.memory_free_gb:.1f} GB of memory are free."


def _project(facts: MachineFacts, file: ProjectFile) -> str:
    if file.base == "embedded":
        return f"{file.name} starts from the embedded base: it trains here in minutes."
    if facts.accelerator == "none":
        return f"{file.name} starts from {file.base}, and there is no accelerator: expect hours, not minutes."
    return f"{file.name} starts from {file.base}, on {facts.accelerator}."
