"""structured: what a teacher says as JSON, by a schema."""

import json
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema

from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.data.answers import KeyOrder
from tunewright.data.synthetic.blocks import json_block
from tunewright.data.synthetic.columns.column import ASKED, Asking, Cells, Desk, PromptedSpec, questions
from tunewright.data.synthetic.formula import BadCell
from tunewright.data.synthetic.schema_file import is_path, schema_at


def _as_text(schema: Any) -> Any:
    """The schema as text: so the order of its properties, in which answers are written, counts as a setting. Or the name
    of its file."""
    if isinstance(schema, dict):
        try:
            return json.dumps(schema, ensure_ascii=False, allow_nan=False)
        except (TypeError, ValueError, RecursionError) as error:
            fix = "put dates between quotation marks" if "date" in str(error) else "it has to be JSON"
            raise ValueError(f"the schema cannot be written as JSON ({error}): {fix}") from None
    try:
        if isinstance(schema, str) and (
            (is_path(schema) and schema.strip()) or isinstance(parse(schema), dict)
        ):
            return schema
    except StrictJsonError as error:
        raise ValueError(f"the schema is not JSON ({error})") from None
    raise ValueError(
        "a schema is an object, {type: object, properties: …}, or the name of a file that holds one"
    )


SchemaText = Annotated[str, BeforeValidator(_as_text), WithJsonSchema({"type": ["object", "string"]})]
"""A JSON Schema, kept as text, or its file's name."""


class StructuredColumn(PromptedSpec):
    """What a teacher answers as JSON, held to a schema where it can be, checked by it always."""

    type: Literal["structured"] = "structured"
    """Chooses this column."""
    schema_: SchemaText = Field(alias="schema")
    """The JSON Schema of the value: {type: object, properties: {question: {type: string}}, required: [question]}; or the
    path of a .json file in the project's folder."""

    @property
    def said(self) -> dict[str, Any] | str:
        """The schema, or its file's name."""
        return self.schema_ if is_path(self.schema_) else json.loads(self.schema_)


def asks(spec: StructuredColumn, name: str, means: Desk) -> Asking:
    """The prompt; the answer parsed and checked. Raises UserError where the schema is none."""
    said = spec.said
    schema = schema_at(said, means.root) if isinstance(said, str) else said
    return Asking(spec, lambda cells: [questions(spec, cells)], reader(schema, means), schema)


def reader(schema: dict[str, Any], means: Desk) -> Any:
    """How an answer becomes a value of the schema, members in its order. Raises UserError where it is no JSON Schema."""
    check = means.grader({"type": "json_schema", "schema": schema})
    order = KeyOrder(schema)

    def read(cells: Cells, replies: list[str]) -> Any:
        text = json_block(replies[0])
        score = check.grade(ASKED, text)
        if score.value < 1:
            raise BadCell(f"it is not what the schema asks for: {score.detail}")
        return order.arrange(parse(text))

    return read
