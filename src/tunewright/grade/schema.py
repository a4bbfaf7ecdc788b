"""JSON Schema, made safe for replies nobody vouches for: nothing is fetched, and patterns have a time limit."""

from collections.abc import Iterator
from typing import Any

import regex

from tunewright.core.errors import UserError
from tunewright.grade.detail import clip
from tunewright.grade.regex import compile_pattern, search


class SchemaCheck:
    """A compiled schema. Raises UserError, with the place in the schema, when it is no JSON Schema."""

    def __init__(self, schema: dict[str, Any]) -> None:
        try:
            self._validator = _validator(schema)
        except RecursionError as error:
            raise UserError("the schema is nested too deep.", where="schema") from error
        except ValueError as error:
            what = f"the schema has an address or a reference that cannot be read ({clip(str(error), 120)})."
            raise UserError(what, where="schema") from error

    def fault(self, value: object) -> str | None:
        """What is wrong with a JSON value, in a few words, or none. Never raises."""
        from jsonschema.exceptions import best_match
        from referencing.exceptions import Unresolvable

        try:
            error = best_match(self._validator.iter_errors(value))
        except TimeoutError as slow:
            return f"a pattern of the schema: {slow}"
        except RecursionError:
            return "the schema refers to itself without end"
        except (ArithmeticError, ValueError, Unresolvable, regex.error) as failure:
            return f"the schema cannot be applied: {clip(str(failure), 120)}"
        return f"{clip(error.json_path, 80)}: {clip(error.message, 120)}" if error else None


def _validator(schema: dict[str, Any]) -> Any:
    from jsonschema import Draft202012Validator, SchemaError, validators
    from jsonschema_specifications import REGISTRY

    if not isinstance(schema.get("$schema", ""), str):
        raise UserError("`$schema` is not a text.", where="schema.$schema")
    draft = validators.validator_for(schema, default=Draft202012Validator)
    try:
        draft.check_schema(schema)
    except SchemaError as error:
        place = "schema" + error.json_path.removeprefix("$")
        raise UserError(f"this is not a JSON Schema: {clip(error.message, 200)}.", where=place) from error
    _check_parts(schema)
    keywords = {
        "pattern": _pattern,
        "patternProperties": _pattern_properties,
        "additionalProperties": _additional_properties,
    }
    # with a registry of its own, jsonschema does not go to the network for a $ref
    return validators.extend(draft, keywords)(schema, registry=REGISTRY)


def _check_parts(schema: dict[str, Any]) -> None:
    from jsonschema_specifications import REGISTRY
    from referencing import Resource
    from referencing.exceptions import Unresolvable
    from referencing.jsonschema import DRAFT202012

    root = Resource.from_contents(schema, default_specification=DRAFT202012)
    uri = root.id() or ""
    pending = [(root, REGISTRY.with_resource(uri, root).resolver(uri))]
    while pending:
        part, resolver = pending.pop()
        reference = part.contents.get("$ref") if isinstance(part.contents, dict) else None
        try:
            if isinstance(reference, str):
                resolver.lookup(reference)
        except Unresolvable as error:
            raise UserError(
                f"the schema refers to {clip(str(reference), 80)!r}, which is not in it.", where="schema"
            ) from error
        _check_patterns(part.contents)
        pending += [(inner, resolver.in_subresource(inner)) for inner in part.subresources()]


def _check_patterns(part: Any) -> None:
    if not isinstance(part, dict):
        return
    for pattern in (part.get("pattern"), *part.get("patternProperties", ())):
        if pattern is not None:
            compile_pattern(pattern, where="schema")


def _search(pattern: str, text: str) -> bool:
    return search(regex.compile(pattern), text)


def _pattern(validator: Any, pattern: str, value: object, schema: object) -> Iterator[Exception]:
    from jsonschema import ValidationError

    if isinstance(value, str) and not _search(pattern, value):
        yield ValidationError(f"{value!r} does not match {pattern!r}")


def _pattern_properties(
    validator: Any, patterns: dict[str, Any], value: object, schema: object
) -> Iterator[Exception]:
    if not isinstance(value, dict):
        return
    for pattern, inner in patterns.items():
        for key in value:
            if _search(pattern, key):
                yield from validator.descend(value[key], inner, path=key, schema_path=pattern)


def _additional_properties(
    validator: Any, allowed: Any, value: object, schema: dict[str, Any]
) -> Iterator[Exception]:
    from jsonschema import ValidationError

    if not isinstance(value, dict):
        return
    patterns = schema.get("patternProperties", {})
    extras = [key for key in value if key not in schema.get("properties", {})]
    extras = [key for key in extras if not any(_search(pattern, key) for pattern in patterns)]
    if isinstance(allowed, dict):
        for key in extras:
            yield from validator.descend(value[key], allowed, path=key)
    elif allowed is False and extras:
        names = ", ".join(map(repr, extras))
        yield ValidationError(f"fields that the schema does not allow: {names}")
