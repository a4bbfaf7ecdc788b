"""The project file's fields, walked: for "did you mean", `init`'s comments, and docs/project-file.md."""

from collections.abc import Iterator, Mapping, Sequence
from types import UnionType
from typing import Annotated, Any, NamedTuple, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined


class FieldDoc(NamedTuple):
    """One field: its dotted name, its doc, its type and default as shown, and the models below it."""

    name: str
    doc: str
    kind: str
    default: str
    models: tuple[type[BaseModel], ...]


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
        )


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


def _shown_default(info: FieldInfo) -> str:
    if info.is_required():
        return "required"
    value = info.get_default(call_default_factory=True) if info.default_factory is None else None
    if value is None or value is PydanticUndefined:
        return "none"
    if isinstance(value, BaseModel):
        return "see below"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, tuple):
        return str([_plain(item) for item in value]) if value else "none"
    return repr(value) if isinstance(value, str) else str(value)


def _plain(value: Any) -> Any:
    return value.model_dump(by_alias=True) if isinstance(value, BaseModel) else value
