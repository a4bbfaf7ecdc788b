"""The expected answer in its one form: text as it is, JSON checked by the schema and written anew.

Every row's JSON is written with `", "` and `": "`, keys in the order of the schema's `properties`, so that the model
learns one form and graders compare like with like.
"""

import json
from collections.abc import Callable
from typing import Any

from tunewright.core.errors import DataError
from tunewright.core.strict_json import MAX_DEPTH, StrictJsonError, depth, parse
from tunewright.core.task import JsonOutput, TextOutput
from tunewright.data.rows import BadRow

ReadAnswer = Callable[[Any, bool], str]
"""The text of an expected answer, from a cell's or a JSON value. Raises BadRow.

The second argument says that nulls inside may stand for absent members (see Table.sparse).
"""

_Plan = tuple[dict[str, Any], list[Any], list[Any]]
"""The schemas of an object's named members, of a list's items, and of an object's other members."""
_COMBINED = ("allOf", "anyOf", "oneOf")
_REMEMBERED = 4096


def answer_reader(output: TextOutput | JsonOutput) -> ReadAnswer:
    """How this task's answers are read. Raises DataError if the schema is no JSON Schema."""
    return _JsonAnswers(output.schema_) if isinstance(output, JsonOutput) else _text_answer


def loose_reader(output: TextOutput | JsonOutput) -> Callable[[Any], str]:
    """How answers are read that nobody expects (rejected, rated bad): no schema is asked of them.

    JSON is written as the good answers are, so that a pair differs in what it says and not in blanks or order. Raises
    BadRow where the answer is blank.
    """
    order = (
        KeyOrder(output.schema_)
        if isinstance(output, JsonOutput) and isinstance(output.schema_, dict)
        else None
    )

    def read(value: Any) -> str:
        text = (
            value
            if isinstance(value, str)
            else ""
            if value is None
            else json.dumps(value, ensure_ascii=False)
        )
        if not text.strip():
            raise BadRow("empty answer: the rejected or badly rated answer is blank")
        if order is None:
            return text
        try:
            return json.dumps(order.arrange(parse(text)), ensure_ascii=False)
        except (StrictJsonError, RecursionError):
            return text

    return read


def _text_answer(value: Any, sparse: bool) -> str:
    if isinstance(value, dict | list):
        raise BadRow("bad answer: it is JSON, but the task's output is text; set task.output.type: json")
    text = value if isinstance(value, str) else "" if value is None else json.dumps(value)
    if not text.strip():
        raise BadRow("empty answer: the expected column is blank")
    return text


class _JsonAnswers:
    def __init__(self, schema: dict[str, Any] | str) -> None:
        if isinstance(schema, str):
            raise DataError(f"the schema file {schema!r} was not loaded.", where="task.output.schema")
        self._validator = _validator(schema)
        self._order = KeyOrder(schema)
        self._known: dict[str, str] = {}

    def __call__(self, value: Any, sparse: bool) -> str:
        if value is None or (isinstance(value, str) and not value.strip()):
            raise BadRow("empty answer: the expected column is blank")
        if not isinstance(value, str):
            return self._written(self._filled(value) if sparse else value)
        if value not in self._known:
            written = self._written(_parsed(value))
            if len(self._known) >= _REMEMBERED or len(value) > _REMEMBERED:
                return written
            self._known[value] = written
        return self._known[value]

    def _written(self, value: Any) -> str:
        self._check(value)
        return json.dumps(self._order.arrange(value), ensure_ascii=False)

    def _filled(self, value: Any) -> Any:
        """The value without its null members, where the schema takes it so and not as it is."""
        if self._validator.is_valid(value):
            return value
        shorter = without_nulls(value)
        return shorter if self._validator.is_valid(shorter) else value

    def _check(self, value: Any) -> None:
        from jsonschema.exceptions import best_match
        from referencing.exceptions import Unresolvable

        if depth(value) > MAX_DEPTH:
            raise BadRow(f"not JSON: the answer is nested more than {MAX_DEPTH} deep")
        try:
            error = best_match(self._validator.iter_errors(value))
        except Unresolvable as unresolvable:
            raise DataError(
                f"the JSON Schema refers to something it does not hold ({unresolvable}).",
                where="task.output.schema",
                fix="Put every referenced schema under $defs; nothing is fetched.",
            ) from None
        except RecursionError:
            raise DataError(
                "the JSON Schema refers to itself without end.", where="task.output.schema"
            ) from None
        if error is not None:
            at = error.json_path.removeprefix("$").lstrip(".")
            raise BadRow(f"schema: {f'{at}: ' if at else ''}{error.message[:300]}")


def _parsed(text: str) -> Any:
    try:
        return parse(text)
    except StrictJsonError as error:
        raise BadRow(f"answer is not JSON: {error}") from None


def without_nulls(value: Any) -> Any:
    """The value without its null members."""
    if isinstance(value, dict):
        return {key: without_nulls(part) for key, part in value.items() if part is not None}
    return [without_nulls(part) for part in value] if isinstance(value, list) else value


def _validator(schema: dict[str, Any]) -> Any:
    import jsonschema
    from jsonschema_specifications import REGISTRY

    kind = jsonschema.validators.validator_for(schema, default=jsonschema.Draft202012Validator)
    try:
        kind.check_schema(schema, format_checker=kind.FORMAT_CHECKER)
    except jsonschema.SchemaError as error:
        at = error.json_path.removeprefix("$").lstrip(".")
        raise DataError(
            f"this is not a JSON Schema: {error.message[:300]}.",
            where=f"task.output.schema{f'.{at}' if at else ''}",
            fix="See https://json-schema.org/understanding-json-schema.",
        ) from None
    return kind(schema, registry=REGISTRY)


class KeyOrder:
    """Puts an answer's keys into the order in which the schema's `properties` name them; others follow as given."""

    def __init__(self, schema: dict[str, Any]) -> None:
        self._root = schema
        self._plans: dict[int, _Plan] = {}

    def arrange(self, value: Any) -> Any:
        """The same value with its keys in order."""
        return self._arranged(value, [self._root])

    def _arranged(self, value: Any, schemas: list[Any]) -> Any:
        if isinstance(value, list):
            below = [item for schema in schemas for item in self._plan(schema)[1]]
            return [self._arranged(item, below) for item in value]
        if not isinstance(value, dict):
            return value
        named: dict[str, list[Any]] = {}
        for schema in schemas:
            for name, part in self._plan(schema)[0].items():
                named.setdefault(name, []).append(part)
        others = [part for schema in schemas for part in self._plan(schema)[2]]
        keys = [name for name in named if name in value] + [key for key in value if key not in named]
        return {key: self._arranged(value[key], named.get(key, others)) for key in keys}

    def _plan(self, schema: Any) -> _Plan:
        """What a schema says of an object's members and a list's items, by reference and in its branches too."""
        if id(schema) not in self._plans:
            self._plans[id(schema)] = self._planned(schema, set())
        return self._plans[id(schema)]

    def _planned(self, schema: Any, seen: set[int]) -> _Plan:
        if not isinstance(schema, dict) or id(schema) in seen:
            return {}, [], []
        seen.add(id(schema))
        properties = dict(schema["properties"]) if isinstance(schema.get("properties"), dict) else {}
        items = [
            part
            for part in (schema.get("items"), *(schema.get("prefixItems") or ()))
            if isinstance(part, dict)
        ]
        others = [part for part in (schema.get("additionalProperties"),) if isinstance(part, dict)]
        others += (schema.get("patternProperties") or {}).values()
        branches = [branch for word in _COMBINED for branch in schema.get(word) or ()]
        for branch in [self._referred(schema.get("$ref")), *branches]:
            more, below, rest = self._planned(branch, seen)
            properties |= {name: part for name, part in more.items() if name not in properties}
            items += below
            others += rest
        return properties, items, others

    def _referred(self, reference: Any) -> Any:
        """The schema that a local reference (`#/$defs/name`) points at."""
        if not isinstance(reference, str) or not reference.startswith("#"):
            return None
        at: Any = self._root
        for step in filter(None, reference[1:].split("/")):
            name = step.replace("~1", "/").replace("~0", "~")
            at = at.get(name) if isinstance(at, dict) else None
        return at
