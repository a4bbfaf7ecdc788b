"""The project file's fields, walked: for `schema NAME`, "did you mean", `init`'s comments, and docs/project-file.md."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from tunewright.core.errors import UserError

REQUIRED = "required"
"""The default of a field that has none."""


class FieldDoc(NamedTuple):
    """One field: its dotted name, its doc, its type and default as shown, and the models below it."""

    name: str
    doc: str
    kind: str
    default: str
    models: tuple[type[BaseModel], ...]
    choices: tuple[str, ...]
    """The words it takes, where they are counted; of a field with several models below it, what tells these apart."""
    owner: type[BaseModel]
    """The model it is a field of."""


def field_docs(model: type[BaseModel], prefix: str = "") -> Iterator[FieldDoc]:
    """Every field of a settings model, in order, one level deep."""
    for attribute, info in model.model_fields.items():
        name = prefix + (info.alias or attribute)
        yield FieldDoc(
            name,
            info.description or "",
            _shown_type(info.annotation),
            _shown_default(info),
            _models(info.annotation),
            _choices(info.annotation),
            model,
        )


def find_field(root: type[BaseModel], name: str) -> FieldDoc:
    """The field that a dotted name means, as `--set` writes it: `sources.tickets.path`. Keys and indices may be left out.

    Raises UserError for a name that means nothing, with the nearest ones, and for one that several models have.
    """
    found = _meant((root,), name.split("."))
    if not found:
        raise UserError(f"{name} is not a setting", fix=_nearest(root, name))
    if len(found) > 1:
        head, _, last = name.rpartition(".")
        ways = ", ".join(f"{head}.{_tag(doc.owner)}.{last}" for doc in found)
        raise UserError(f"{name} stands in {len(found)} models", fix=f"Say which: {ways}.")
    return found[0]._replace(name=name)


def dotted_names(models: Sequence[type[BaseModel]], prefix: str = "") -> Iterator[str]:
    """Every field below the models, by dotted name without keys and indices. Of several models each has its own part."""
    for model in models:
        own = f"{prefix}{_tag(model)}." if len(models) > 1 else prefix
        for doc in field_docs(model, own):
            yield doc.name
            yield from dotted_names(doc.models, f"{doc.name}.")


def _meant(models: Sequence[type[BaseModel]], parts: Sequence[str]) -> list[FieldDoc]:
    """The fields of the models, and of what is below them, that the parts of a name mean."""
    first, *rest = parts
    docs = [doc for model in models for doc in field_docs(model) if doc.name == first]
    return docs if not rest else [found for doc in docs for found in _below(doc, rest)]


def _below(doc: FieldDoc, parts: Sequence[str]) -> list[FieldDoc]:
    """What the parts mean below a field: in its models, or there behind a key or an index."""
    if not parts:
        return [doc]
    if found := _in_models(doc, parts):
        return found
    if not (doc.kind.startswith("mapping of") or (doc.kind.startswith("list of") and parts[0].isdigit())):
        return []
    return _in_models(doc, parts[1:]) if doc.models and parts[1:] else [doc]


def _in_models(doc: FieldDoc, parts: Sequence[str]) -> list[FieldDoc]:
    """What the parts mean in a field's models: fields as they stand, or behind the name of one of several models."""
    if not doc.models:
        return []
    if found := _meant(doc.models, parts):
        return found
    for model in doc.models:
        if len(doc.models) > 1 and _tag(model) == parts[0]:
            chosen = FieldDoc("", model.__doc__ or "", model.__name__, "none", (model,), (), model)
            return _below(chosen, parts[1:])
    return []


def _nearest(root: type[BaseModel], name: str) -> str:
    names = [*dotted_names((root,))]
    last = name.rpartition(".")[2]
    close = [known for known in names if known.rpartition(".")[2] == last]
    close = close or difflib.get_close_matches(name, names, n=3)
    return f"Did you mean {' or '.join(close[:3])}?" if close else "docs/project-file.md has them all."


def field_names_at(model: type[BaseModel], loc: Sequence[int | str]) -> list[str]:
    """The fields known at a place in the file, as pydantic's error locations name it."""
    models: tuple[type[BaseModel], ...] = (model,)
    for part in loc:
        fields = {(info.alias or name): info for m in models for name, info in m.model_fields.items()}
        if part in fields:
            models = _models(fields[str(part)].annotation)
        else:
            # a list's index, a mapping's key, or the tag of a union's branch
            tagged = tuple(m for m in models if _tag(m) == part)
            models = tagged or models
    return [info.alias or name for m in models for name, info in m.model_fields.items()]


def model_for(models: Sequence[type[BaseModel]], value: Mapping[str, Any]) -> type[BaseModel] | None:
    """Which of a field's models a mapping is for: by its tag, or the only one there is."""
    tagged = [model for model in models if _tag(model) in (value.get("type"), value.get("op"))]
    return next(iter(tagged or models), None)


def _tag(model: type[BaseModel]) -> str | None:
    for name in ("type", "op"):
        if name in model.model_fields:
            return str(model.model_fields[name].default)
    return None


def _models(annotation: Any) -> tuple[type[BaseModel], ...]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return (annotation,)
    return tuple(model for arg in get_args(annotation) for model in _models(arg))


def _shown_type(annotation: Any) -> str:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _shown_type(get_args(annotation)[0])
    if annotation is type(None):
        return "none"
    if origin in (Union, UnionType):
        parts = [_shown_type(arg) for arg in get_args(annotation)]
        return " or ".join(dict.fromkeys(parts))
    if origin is dict:
        return f"mapping of {_shown_type(get_args(annotation)[1])}"
    if origin in (tuple, list):
        return f"list of {_shown_type(get_args(annotation)[0])}"
    if origin is not None and get_args(annotation):
        return " | ".join(str(arg) for arg in get_args(annotation))
    names = {
        "str": "text",
        "int": "whole number",
        "float": "number",
        "bool": "true or false",
        "Any": "any value",
    }
    name = getattr(annotation, "__name__", str(annotation))
    return names.get(name, name)


def _choices(annotation: Any) -> tuple[str, ...]:
    """The words that an annotation counts, or the tags of its models."""
    models = _models(annotation)
    return tuple(filter(None, map(_tag, models))) if len(models) > 1 else tuple(_words(annotation))


def _words(annotation: Any) -> Iterator[str]:
    if get_origin(annotation) is Literal:
        yield from map(str, get_args(annotation))
    else:
        for arg in get_args(annotation):
            yield from _words(arg)


def _shown_default(info: FieldInfo) -> str:
    if info.is_required():
        return REQUIRED
    value = info.get_default(call_default_factory=True)
    if value is None or value in ((), {}):
        return "none"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, bool):
        return str(value).lower()
    return repr(_plain(value)) if isinstance(value, str | tuple | dict) else str(value)


def _plain(value: Any) -> Any:
    """A default as plain values, without the settings that say nothing."""
    if isinstance(value, BaseModel):
        said = value.model_dump(by_alias=True, mode="json")
        return {name: setting for name, setting in said.items() if setting not in (None, [], {})}
    if isinstance(value, dict):
        return {name: _plain(item) for name, item in value.items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
