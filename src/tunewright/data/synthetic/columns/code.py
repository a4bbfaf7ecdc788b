"""code: what a teacher writes as code, taken out of its fence and read by the language's own parser."""

from typing import ClassVar, Literal

from tunewright.data.kinds import Kind
from tunewright.data.synthetic.blocks import code_block
from tunewright.data.synthetic.columns.column import Asking, Cells, Desk, PromptedSpec, questions
from tunewright.data.synthetic.formula import BadCell, Template, template
from tunewright.data.synthetic.syntax import fault

_NAMES = {"python": ("python", "py", "python3"), "sql": ("sql", "sqlite", "postgresql"), "json": ("json",)}


class CodeColumn(PromptedSpec):
    """What a teacher writes as code; one that its language cannot read is asked for again, with what is wrong."""

    TEMPLATES: ClassVar[tuple[str, ...]] = (*PromptedSpec.TEMPLATES, "tables")
    KIND: ClassVar[Kind] = "text"

    type: Literal["code"] = "code"
    """Chooses this column."""
    language: str = "python"
    """python, sql and json are parsed, never run; any other language is taken as it is."""
    tables: Template = ""
    """Of sql: CREATE TABLE statements (SQLite's), a template over other columns. Queries are checked against them; left out,
    their form alone is."""


def asks(spec: CodeColumn, name: str, means: Desk) -> Asking:
    """The prompt; the code without its fence, once it can be read."""
    names = _NAMES.get(spec.language.lower(), (spec.language.lower(),))

    def read(cells: Cells, replies: list[str]) -> str:
        code = code_block(replies[0], names)
        if not code.strip():
            raise BadCell("there is no code in it")
        tables = str(template(spec.tables).of(cells.values))
        if wrong := fault(code, spec.language.lower(), tables):
            raise BadCell(wrong)
        return code

    return Asking(spec, lambda cells: [questions(spec, cells)], read)
