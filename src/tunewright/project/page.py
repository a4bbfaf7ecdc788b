"""docs/project-file.md, written from the models: `python -m tunewright.project.page FILE`."""

import sys
from collections.abc import Iterator
from pathlib import Path

from pydantic import BaseModel

from tunewright.core.files import write_atomic
from tunewright.project.fields import field_docs
from tunewright.project.file import ProjectFile

_HEAD = """# The project file

`tunewright.yaml` says what the model is to do, from which rows, and what it must prove. This page is written from the
models in the code (`make docs`); `tunewright schema` prints the same as a JSON Schema for editors.

Any field can be overridden on the command line: `tunewright run --set train.adapter.rank=32`. A field's line stands there,
too: `tunewright schema train.adapter.rank`.
"""


def page() -> str:
    """The page's Markdown: a table for each settings model, in the order the file reaches them."""
    return (
        _HEAD + "\n" + "\n".join(line for model in settings_models(ProjectFile) for line in _section(model))
    )


def settings_models(model: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """The model and all below it, depth first, each once."""
    seen: list[type[BaseModel]] = []

    def visit(model: type[BaseModel]) -> None:
        if model not in seen:
            seen.append(model)
            for doc in field_docs(model):
                for below in doc.models:
                    visit(below)

    visit(model)
    yield from seen


def _section(model: type[BaseModel]) -> Iterator[str]:
    yield f"## {model.__name__}\n"
    yield " ".join((model.__doc__ or "").split()) + "\n"
    yield "| field | what it is | type | default |"
    yield "|---|---|---|---|"
    for doc in field_docs(model):
        cells = (f"`{doc.name}`", " ".join(doc.doc.split()), doc.kind, f"`{doc.default}`")
        yield "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"
    yield ""


if __name__ == "__main__":
    write_atomic(Path(sys.argv[1]), page())
