"""The text of a chat template: compiled by transformers, and given what is plain data already.

transformers copies all that a template sees, at each call, since callers may hand it pictures and other objects. A
renderer hands over texts, numbers, lists and dicts that it has just made, and what is the same for all rows is copied once:
that saves two fifths of the time. Where transformers has not, or no longer, the parts that it takes, all is copied.
"""

from collections.abc import Callable, Mapping, Sequence
from inspect import signature
from typing import Any, NamedTuple

from transformers.utils import chat_template_utils
from transformers.utils.chat_template_utils import render_jinja_template

Turns = Sequence[Mapping[str, Any]]
_PARTS = {
    "_compile_jinja_template": ("chat_template",),
    "_render_with_assistant_indices": (
        "compiled_template", "messages", "tools", "documents", "add_generation_prompt", "template_kwargs",
    ),
    "_plain_template_data": ("value",),
}  # fmt: skip
"""What is taken of transformers, which it does not promise to keep, and what each is given."""


class Shown(NamedTuple):
    """A rendered conversation, and the spans of characters that the template marks as the assistant's."""

    text: str
    spans: list[tuple[int, int]]


Rendering = Callable[[Turns, bool, list[Any] | None], Shown]
"""Turns, whether the prompt of an answer is wanted, and tools or none."""


def rendering(template: str, told: Mapping[str, Any], *, marked: bool) -> Rendering:
    """What renders conversations with a template that is `told` these things too, and is `marked` with its answers or not.

    Raises what jinja2 raises where it is no template; the rendering what the template raises.
    """
    parts = _parts()
    if parts is None:
        return _copying(template, told, marked)
    compile_template, render_marked, plain = parts
    compiled, same = compile_template(template), plain(dict(told))
    compiled.globals = dict(
        compiled.globals
    )  # a chain of mappings, gone through for each row: a third of its time

    def render(turns: Turns, answering: bool, tools: list[Any] | None) -> Shown:
        if marked:
            return Shown(*render_marked(compiled, turns, tools, None, answering, **same))
        text = compiled.render(
            messages=turns, tools=tools, documents=None, add_generation_prompt=answering, **same
        )
        return Shown(text, [])

    return render


def _parts() -> list[Any] | None:
    """The parts of transformers; none where one is gone or is given other things."""
    found = [getattr(chat_template_utils, name, None) for name in _PARTS]
    taken = [part and tuple(signature(part).parameters) for part in found]
    return found if taken == [*_PARTS.values()] else None


def _copying(template: str, told: Mapping[str, Any], marked: bool) -> Rendering:
    """The same by transformers' own way."""

    def render(turns: Turns, answering: bool, tools: list[Any] | None) -> Shown:
        one: Any = render_jinja_template
        texts, spans = one(
            conversations=[turns],
            tools=tools,
            chat_template=template,
            return_assistant_tokens_mask=marked,
            add_generation_prompt=answering,
            **told,
        )
        return Shown(texts[0], [tuple(span) for span in spans[0]] if marked else [])

    return render
