"""Writing tunewright.yaml: the values given, each with its field's doc as a comment above it."""

import json
import re
import textwrap
import unicodedata
from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

from tunewright.project.fields import FieldDoc, field_docs, model_for
from tunewright.project.file import ProjectFile

_PLAIN = re.compile(r"[A-Za-z_][A-Za-z0-9_./-]*")
_WORDS_OF_YAML = {"true", "false", "null", "yes", "no", "on", "off", "y", "n"}
_WIDTH = 100


def to_yaml(values: Mapping[str, Any]) -> str:
    """A project file's text. Reading it back gives `values`."""
    lines: list[str] = []
    for name, value in values.items():
        if lines:
            lines.append("")
        lines += _entry(name, value, _docs(ProjectFile).get(name), 0)
    return "\n".join(lines) + "\n"


def _entry(name: str, value: Any, doc: FieldDoc | None, depth: int) -> list[str]:
    """`name: value` and what stands above and below it."""
    pad = "  " * depth
    comment = (
        [f"{pad}# {line}" for line in textwrap.wrap(doc.doc, _WIDTH - len(pad))] if doc and doc.doc else []
    )
    head = f"{pad}{_key(name)}:"
    if isinstance(value, Mapping) and value:
        models = doc.models if doc else ()
        is_mapping_of = bool(doc and doc.kind.startswith("mapping of"))
        return [*comment, head, *_mapping(value, models, is_mapping_of, depth + 1)]
    if isinstance(value, list) and any(isinstance(item, (dict, list)) for item in value):
        return [*comment, head, *[f"{pad}  - {flow(item)}" for item in value]]
    if isinstance(value, str) and _is_block(value):
        return [*comment, f"{head} |-", *[f"{pad}  {line}".rstrip() for line in value.split("\n")]]
    return [*comment, f"{head} {flow(value)}"]


def _mapping(
    value: Mapping[str, Any], models: tuple[type[BaseModel], ...], is_mapping_of: bool, depth: int
) -> list[str]:
    """A mapping's entries: with field docs where it is a settings model, plain otherwise."""
    lines: list[str] = []
    model = None if is_mapping_of else model_for(models, value)
    for name, item in value.items():
        if is_mapping_of and models and isinstance(item, Mapping) and item:
            lines += [f"{'  ' * depth}{_key(name)}:", *_mapping(item, models, False, depth + 1)]
        else:
            lines += _entry(name, item, _docs(model).get(name) if model else None, depth)
    return lines


def _docs(model: type[BaseModel]) -> dict[str, FieldDoc]:
    return {doc.name: doc for doc in field_docs(model)}


def _key(name: str) -> str:
    return name if _PLAIN.fullmatch(name) and name.lower() not in _WORDS_OF_YAML else _quoted(name)


def _quoted(text: str) -> str:
    """The text between quotes. What is not printed, or ends a line to YAML alone, is written as its number."""
    return "".join(
        sign if sign.isprintable() or unicodedata.category(sign) == "Cs" else f"\\U{ord(sign):08x}"
        for sign in json.dumps(text, ensure_ascii=False)
    )


def _is_block(text: str) -> bool:
    """Whether a text can stand line by line as it is: no blanks that would be lost, nothing that is not printed."""
    lines = text.split("\n")
    whole = all(line == line.rstrip() and line.isprintable() for line in lines)
    return len(lines) > 1 and text == text.strip() and whole


def flow(value: Any) -> str:
    """A value on one line. JSON is YAML, save that words need no quotes."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_key(str(name))}: {flow(item)}" for name, item in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    return _key(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
