"""A JSON Schema in a file of the project's folder, named where a recipe wants one: {type: json_schema, schema: ticket.json}.

    schema_at("ticket.json", root)   →  {"type": "object", …}

An operation names such a file in its `files`, so that its content counts where the rows' identity does.
"""

from pathlib import Path
from typing import Any

from tunewright.core.errors import UserError
from tunewright.core.strict_json import StrictJsonError, parse

LARGEST = 1_000_000
"""Bytes of a schema, at most."""
_FIX = "Give a JSON Schema: an object, in place or in a file that is named from the project's folder."


def is_path(schema: object) -> bool:
    """Whether a setting names a file; else it is the schema itself, an object or its text."""
    return isinstance(schema, str) and not schema.lstrip().startswith("{")


def schema_at(name: str, root: Path) -> dict[str, Any]:
    """The schema that a file holds, its name as seen from the project's folder.

    Raises UserError where it lies outside of that, is not there, is too large, or holds no JSON object.
    """
    schema = _parsed(name, _read(name, root))
    if not isinstance(schema, dict):
        raise _wrong(f"the schema file {name} holds no object")
    return schema


def _read(name: str, root: Path) -> bytes:
    try:
        path = (root / name).resolve()
        if not path.is_relative_to(root.resolve()):
            raise _wrong(f"the schema file {name} lies outside of the project's folder")
        if path.is_dir():
            raise _wrong(f"the schema file {name} is a folder")
        if not path.exists():
            raise _wrong(f"there is no schema file {name} in the project's folder")
        if not path.is_file():
            raise _wrong(f"the schema file {name} is no regular file")
        with path.open("rb") as stream:
            data = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:  # ValueError: a NUL in a name
        raise _wrong(
            f"the schema file {name!r} cannot be read ({getattr(error, 'strerror', error)})"
        ) from None
    if len(data) > LARGEST:
        raise _wrong(f"the schema file {name} has more than {LARGEST:,} bytes")
    return data


def _parsed(name: str, data: bytes) -> Any:
    try:
        return parse(data.decode("utf-8-sig"))
    except UnicodeDecodeError:
        raise _wrong(f"the schema file {name} is not UTF-8") from None
    except StrictJsonError as error:
        raise _wrong(f"the schema file {name} is not JSON ({error})") from None


def _wrong(message: str) -> UserError:
    return UserError(message, where="schema", fix=_FIX)
