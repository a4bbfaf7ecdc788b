"""generate: new rows, written by rules and by teachers, beside those that it takes.

    - op: generate
      teacher: big
      rows: 500
      columns:
        topic: {type: category, values: {billing: 2, delivery: 1}}
        question: {type: text, prompt: "Write a customer's short question about {{ topic }}."}
        expected: {type: text, prompt: "Answer it in two sentences: {{ fenced(question) }}"}
      input: question

docs/synthetic.md tells of columns, presets and what keeps written rows honest. Raise VERSION, too, when a preset's
columns or prompts change: they are no settings of the file.
"""

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from tunewright.core.example import Example
from tunewright.data.kinds import Kind
from tunewright.data.ops._expression import Expression as Asked
from tunewright.data.ops.op import (
    DESIRABLE,
    MESSAGES,
    REJECTED,
    Dropped,
    Kept,
    Means,
    OpSpec,
    Rows,
    Said,
    Touched,
)
from tunewright.data.synthetic.columns import Column, ReplyColumn, SeedColumn
from tunewright.data.synthetic.columns.column import AskingSpec
from tunewright.data.synthetic.columns.structured import StructuredColumn
from tunewright.data.synthetic.columns.validate import ValidateColumn
from tunewright.data.synthetic.deal import from_one_seed, is_seed
from tunewright.data.synthetic.formula import Expression, template
from tunewright.data.synthetic.made import FROM, PARTS
from tunewright.data.synthetic.plan import faults, order
from tunewright.data.synthetic.presets import Preset
from tunewright.data.synthetic.written import Design, Order, written

USES = ("teacher", "graders", "files")
VERSION = "2"


def _by_name(value: Any) -> Any:
    return {"type": value} if isinstance(value, str) else value


class Generate(OpSpec):
    """Write new rows: columns by rules, from seed rows and by teachers, and from them questions and answers."""

    op: Literal["generate"] = "generate"
    """Chooses this op."""
    preset: Annotated[Preset, BeforeValidator(_by_name)] | None = None
    """Columns that come ready: questions, back_instruction, rephrase, evolve, pairs, thumbs, query_rewriting, refusals,
    persona or dsl; its name, or its settings: {type: questions, unanswerable: 0.2}."""
    columns: dict[str, Column] = Field(default_factory=dict)
    """What is filled for each new row, by name; over the preset's, where there is one. Columns of which the name begins
    with _ are no fields of the row."""
    input: str | None = None
    """What is asked: a column's name, or a template over columns; left out, the column `input`."""
    expected: str | None = None
    """The answer; left out, the column `expected`."""
    rejected: str | None = None
    """A worse answer; left out, the column `rejected`, where there is one."""
    desirable: str | None = None
    """Whether the answer is a good one (true or false); left out, the column `desirable`, where there is one."""
    system: str | None = None
    """A system message; left out, the column `system`, where there is one."""
    text: str | None = None
    """Instead of a question and an answer: a document; left out, the column `text`, where there is one."""
    onto_seed: bool | None = None
    """Whether a new row is its seed with `input` and `expected` anew, as far as they are given: the turns before and
    the system message stay. Left out, as the preset has it; without one, no."""
    rows: int | None = Field(None, ge=1, le=10_000_000)
    """How many new rows are tried."""
    per_row: int | None = Field(None, ge=1, le=1000)
    """Or how many from each seed row; where neither is given and rows are written from seeds, one."""
    seeds: Expression | None = None
    """Which of the rows are seeds: an expression as `filter` has them, and `depth` and `teacher` of who wrote the row:
    source == "handbook" and depth == 0; left out, all."""
    keep_seeds: bool | None = None
    """Whether seeds go on beside the new rows; left out, they do, but for documents from which conversations are
    written. Rows that are no seeds always go on."""
    carry: tuple[str, ...] | None = None
    """Fields of the seed that the new row has, too; left out, all, so that `split.group_by` keeps them together."""
    teacher: str = "base"
    """Who is asked: a name under `teachers`, or `base`, the project's own."""
    stop_after_failures: float = Field(0.5, ge=0, le=1)
    """The share of rows that may fail, of the first 20 and from then on, before the operation ends in an error."""
    seed: int = 0
    """Seeds all that is drawn."""

    @model_validator(mode="after")
    def _makes_rows(self) -> Self:
        design = design_of(self)
        found = faults(design.columns) or [*_part_faults(self, design)]
        if found:
            raise ValueError("; ".join(found).replace(".;", ";").rstrip("."))
        return self

    def previewed(self, rows: int) -> Self:
        """The same for a first look: so many rows, however many of them fail."""
        few = {"rows": min(rows, self.rows or rows), "per_row": None, "stop_after_failures": 1.0}
        return self.model_copy(update=few)

    def written_depth(self, given: int) -> int:
        """How many models stand behind its rows, where `given` stand behind those that it takes.

        Where `seeds` chooses among these, what people wrote is taken for chosen: the rows themselves are looked at
        later.
        """
        columns = design_of(self).columns.values()
        if self.seeds is not None or not any(
            isinstance(column, SeedColumn | ReplyColumn) for column in columns
        ):
            return 1
        return max(1, given + any(isinstance(column, AskingSpec) for column in columns))


def design_of(spec: Generate) -> Design:
    """The columns and parts: the preset's, with the operation's own over them."""
    made = spec.preset.design() if spec.preset is not None else Design({}, {})
    columns = {**made.columns, **spec.columns}
    own = {name: said for name in PARTS if (said := getattr(spec, name)) is not None}
    named = {name: name for name in PARTS if name in columns}
    onto = made.onto_seed if spec.onto_seed is None else spec.onto_seed
    return Design(columns, {**named, **made.parts, **own}, onto)


def reads(spec: Generate) -> Mapping[str, frozenset[str]]:
    """The fields that the choice of seeds cannot do without."""
    asked = Asked(spec.seeds, "").reads if spec.seeds is not None else frozenset[str]()
    return {"seeds": asked - {"depth", "teacher"}}


def writes(spec: Generate, given: frozenset[str]) -> frozenset[str]:
    """The columns that are fields of the new rows."""
    columns = (name for name in design_of(spec).columns if name not in PARTS and not name.startswith("_"))
    return frozenset({*columns, FROM})


def touches(spec: Generate, given: frozenset[str]) -> Touched:
    """Its seeds, where it has some; rows are written beside those that it takes, which stay as they are."""
    asked = Asked(spec.seeds, "").names if spec.seeds is not None else frozenset[str]()
    design = design_of(spec)
    kinds: dict[str, Kind] = {name: column.kind for name, column in design.columns.items()}
    kinds |= {FROM: "list", MESSAGES: "document" if "text" in design.parts else "conversation"}
    return Touched(
        asked | ({MESSAGES} if _from_rows(design) else set()),
        adds=frozenset({REJECTED, DESIRABLE} & design.parts.keys()),
        kinds=kinds,
    )


def apply(spec: Generate, rows: Rows, means: Means) -> Iterator[Said]:
    """The rows that it takes, as far as they go on, and the new ones. Raises DataError, and what the means raise."""
    design = design_of(spec)
    from_rows = _from_rows(design)
    for row in rows:
        yield (
            Kept(row) if not from_rows or _goes_on(spec, row, design) else Dropped(row, "a seed of new rows")
        )
    wanted = Order(
        design,
        spec.id or spec.op,
        rows=spec.rows,
        per_row=None if spec.rows is not None else spec.per_row or 1,
        seeds=spec.seeds,
        carry=spec.carry,
        teacher=spec.teacher,
        stop_after_failures=spec.stop_after_failures,
        seed=spec.seed,
    )
    yield from written(wanted, rows, means)


def notes(spec: Generate) -> tuple[str, ...]:
    """Its columns, in the order in which they are filled."""
    columns = design_of(spec).columns
    said = ", ".join(f"{name} ({columns[name].type})" for name in order(columns))
    return (f"Columns: {said}.",)


def teachers(spec: Generate) -> dict[str, str]:
    """Who is asked: place → name."""
    found = dict[str, str]()
    for name, column in design_of(spec).columns.items():
        if not isinstance(column, AskingSpec):
            continue
        if column.teacher is None:
            found["teacher"] = spec.teacher
        elif name in spec.columns:
            found[f"columns.{name}.teacher"] = column.teacher
        else:
            found |= {f"preset.{setting}": who for setting, who in spec.preset or () if who == column.teacher}
    return found


def graders(spec: Generate) -> dict[str, Mapping[str, Any]]:
    """The graders that columns use, those that look after schemas too: place → settings."""
    found = dict[str, Mapping[str, Any]]()
    for name, column in spec.columns.items():
        if isinstance(column, ValidateColumn) and isinstance(column.by, Mapping):
            found[f"columns.{name}.by"] = column.by
        elif isinstance(column, StructuredColumn):
            found[f"columns.{name}"] = {"type": "json_schema", "schema": column.said}
    return found


def files(spec: Generate) -> tuple[str, ...]:
    """The files of schemas that graders and columns name."""
    named = (settings.get("schema") for settings in graders(spec).values())
    return tuple(dict.fromkeys(schema for schema in named if isinstance(schema, str)))


def _from_rows(design: Design) -> bool:
    return any(isinstance(column, SeedColumn | ReplyColumn) for column in design.columns.values())


def _goes_on(spec: Generate, row: Example, design: Design) -> bool:
    if not is_seed(row, spec.seeds):
        return True
    return (
        spec.keep_seeds
        if spec.keep_seeds is not None
        else not (row.is_document and "text" not in design.parts)
    )


def _part_faults(spec: Generate, design: Design) -> Iterator[str]:
    """What is wrong with what rows are made of."""
    columns, parts = design.columns, design.parts
    if not columns:
        yield "it has neither a preset nor columns"
        return
    talk = {"input", "expected"}
    if "text" in parts and (odd := sorted(parts.keys() - {"text"})):
        yield f"a row is a document (text) or a conversation ({odd[0]}), not both"
    elif design.onto_seed:
        yield from _onto_faults(columns, parts)
    elif "text" not in parts and (missing := sorted(talk - parts.keys(), reverse=True)):
        yield f"nothing says what the {missing[0]} of a row is: name a column or write a template"
    for name, said in parts.items():
        yield from _unread(name, said, columns)
    if spec.rows is not None and spec.per_row is not None:
        yield "rows and per_row are two ways to say how many: give one"
    elif spec.rows is None and not from_one_seed(columns):
        yield "no column is a seed, so that `rows` has to say how many rows are written"
    if not any(isinstance(column, SeedColumn | ReplyColumn) for column in columns.values()):
        idle = [name for name in ("seeds", "keep_seeds", "carry") if getattr(spec, name) is not None]
        if idle:
            yield f"{idle[0]} speaks of seeds, and no column is of a seed: leave it out, or add a column of type seed"


def _onto_faults(columns: Mapping[str, Column], parts: Mapping[str, str]) -> Iterator[str]:
    if not from_one_seed(columns):
        yield "onto_seed writes a seed anew, and no column is of a seed"
    if not {"input", "expected", "rejected"} & parts.keys():
        yield "onto_seed writes a seed anew, and nothing says what: give input, expected or rejected"
    if "system" in parts:
        yield "with onto_seed the seed's system message stays: leave `system` out"


def _unread(name: str, said: str, columns: Mapping[str, Column]) -> Iterator[str]:
    from tunewright.data.names import did_you_mean, listed

    if said in columns:
        return
    try:
        names = template(said).names
    except ValueError as error:
        yield f"{name}: {error}"
        return
    for asked in [said] if said.isidentifier() else sorted(names - columns.keys()):
        hint = did_you_mean(asked, columns) or f"There are {listed(columns)}."
        text = f" (the word itself is written {{{{ '{said}' }}}})" if said.isidentifier() else ""
        yield f"{name} is written from {asked!r}, which is no column{text}. {hint}"
