"""How to get a result again: the project file as it was used, the seeds in it, the commands.

The file as used has what `--set` laid over it and schema files' contents in it. What else decides the result: the rows
and the base, which the lineage names by their hashes, and the package, since another version may take other defaults from
the same rows; so the commands begin with its version. The libraries' versions stand on the page beside them.
"""

import shlex
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from pydantic import BaseModel

from tunewright.project.file import ProjectFile
from tunewright.project.writing import flow, to_yaml


def effective_file(file: ProjectFile) -> str:
    """The project file as used, as YAML. Read from the same folder it gives the same steps."""
    return to_yaml(file.model_dump(mode="json", by_alias=True, exclude_unset=True))


def seeds(file: ProjectFile) -> dict[str, int]:
    """Every seed among the settings, by its dotted name."""
    return dict(_seeds(file, ""))


def commands(file: ProjectFile, version: str) -> tuple[str, ...]:
    """What to type, in the project's folder, to get the same report; `version` is the package's that trained."""
    settings = "".join(f" --set {setting}" for setting in laid_over(file))
    return (
        f"pip install tunewright=={version}",
        f"tunewright check{settings}",
        f"tunewright run{settings}",
        "tunewright report --open",
    )


def laid_over(file: ProjectFile) -> tuple[str, ...]:
    """The `--set` values, each as one word of a command line."""
    return tuple(shlex.quote(f"{name}={flow(value)}") for name, value in file.laid_over.items())


def _seeds(value: Any, prefix: str) -> Iterator[tuple[str, int]]:
    """Seeds are fields of settings models; a schema's property of that name is none."""
    fields: Iterable[tuple[Any, Any]] = ()
    if isinstance(value, BaseModel):
        fields = value
    elif isinstance(value, Mapping):
        fields = value.items()
    elif isinstance(value, tuple):
        fields = enumerate(value)
    for name, inner in fields:
        if name == "seed" and isinstance(value, BaseModel):
            yield f"{prefix}seed", inner
        else:
            yield from _seeds(inner, f"{prefix}{name}.")
