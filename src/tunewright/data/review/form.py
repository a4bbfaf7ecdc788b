"""A row as a text that a person edits, and back: every part below a line `=== name`.

    text = form(row)
    read_form(text, row)        # the edited row; FormError says which line is wrong

What stands between two such lines is taken sign by sign. Where a text of the row has such a line itself, the marks are
longer (`====`).
"""

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, get_args

from tunewright.core.example import Example, make_document, make_example
from tunewright.core.message import Role, tools_of
from tunewright.core.strict_json import StrictJsonError, parse
from tunewright.data.names import did_you_mean, listed
from tunewright.data.review.edit import held_to, rating
from tunewright.data.rows import BadRow
from tunewright.data.sources.chat import talk

_MARK = re.compile(r"^(={3,}) (\w+) ?(.*)$")
_NUMBERED = re.compile(r"messages?(?:\[(\d+)\]| (\d+))")
_IN_MESSAGE = re.compile(r"messages\[\d+\]\.")
_ROLES: tuple[str, ...] = get_args(Role)
_ONCE = ("expected", "text", "rejected", "rating", "fields", "tools")
_RATINGS = {"good": True, "bad": False, "": None}
_OWN = {
    **dict.fromkeys((*_ROLES, "expected"), ("weight",)),
    "tool": ("weight", "tool_call_id", "name"),
    "call": ("id", "name"),
}
"""What a part's line may say besides, as JSON."""
_INTRO = """\
{title}
Edit what stands below, save, close. An empty file, or one that is not changed, leaves the row as it is.
What stands above the first line of signs is not read.
"""

Check = Callable[[str], str]
"""What the task makes of an expected answer. Raises BadRow."""


class FormError(Exception):
    """A form that cannot be read: the 1-based line, and what is wrong there."""

    def __init__(self, line: int, message: str) -> None:
        super().__init__(f"line {line}: {message}")
        self.line = line
        self.message = message


class _Part(NamedTuple):
    line: int
    name: str
    more: dict[str, Any]
    text: str


def form(row: Example) -> str:
    """The row as a form."""
    parts = list(_parts(row))
    mark = "==="
    while any(line.startswith(f"{mark} ") for _, _, text in parts for line in text.split("\n")):
        mark += "="
    written = "".join(
        f"\n{mark} {name}{f' {json.dumps(more, ensure_ascii=False)}' if more else ''}\n{text}\n"
        for name, more, text in parts
    )
    return _INTRO.format(title=" ".join(row.place.split())) + written


def _parts(row: Example) -> Iterator[tuple[str, dict[str, Any], str]]:
    fields = json.dumps(row.fields, ensure_ascii=False, indent=1)
    if row.is_document:
        yield "text", {}, row.expected
        yield "fields", {}, fields
        return
    if tools := tools_of(row.messages):
        yield "tools", {}, json.dumps(json.loads(tools), ensure_ascii=False, indent=1)
    for at, message in enumerate(row.messages):
        last = at == len(row.messages) - 1
        own = {"weight": message.weight, "tool_call_id": message.tool_call_id, "name": message.name}
        said = {name: value for name, value in own.items() if value is not None}
        yield "expected" if last else message.role, said, message.content
        for call in message.tool_calls:
            known = {"id": call.id, "name": call.function.name}
            yield (
                "call",
                {name: value for name, value in known.items() if value is not None},
                call.function.arguments,
            )
    if row.rejected is not None:
        yield "rejected", {}, row.rejected
    if (good := rating(row)) is not None:
        yield "rating", {}, "good" if good else "bad"
    yield "fields", {}, fields


def read_form(text: str, row: Example, check: Check = str) -> Example | None:
    """The row that a form describes; none where it is empty, or says what it said before.

    `check` is what the task asks of an expected answer. Raises FormError with the line of the first thing that is wrong.
    """
    if "\r" in text and "\r" not in form(row):
        text = text.replace("\r\n", "\n")  # an editor's own line ends
    if not text.strip():
        return None
    parts = list(_cut(text))
    found = {part.name: part for part in parts if part.name in _ONCE}
    fields = _json(found["fields"], dict) if "fields" in found else row.fields
    new = _document(parts, fields, row) if row.is_document else _talk(parts, found, fields, row, check)
    return None if _whole(new) == _whole(row) else new


def marked(form: bytes, error: FormError) -> bytes:
    """A form with what is wrong in its first line, where nothing of the row stands; every line keeps its number."""
    first, end, rest = form.partition(b"\n")
    if first.startswith(b"==="):
        return form
    return " ".join(str(error).split()).encode("utf-8", "replace") + end + rest


def _whole(row: Example) -> tuple[Any, ...]:
    return row.messages, row.rejected, rating(row), json.dumps(row.fields, sort_keys=True)


def _cut(text: str) -> Iterator[_Part]:
    """The parts, in order."""
    lines = text.split("\n")
    first = next((match for line in lines if (match := _MARK.match(line.rstrip()))), None)
    if first is None:
        raise FormError(1, "no line begins a part (=== user, say)")
    mark = f"{first[1]} "
    starts = [number for number, line in enumerate(lines) if line.startswith(mark)]
    seen = set[str]()
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        name, more = _head(lines[start], start + 1)
        if name in _ONCE and name in seen:
            raise FormError(start + 1, f"there are two parts {name!r}")
        seen.add(name)
        body = lines[start + 1 : end]
        # the blank line before the next mark is ours, and so is the end of the last line
        body = body[:-1] if body and body[-1] == "" else body
        yield _Part(start + 1, name, more, "\n".join(body))


def _head(line: str, number: int) -> tuple[str, dict[str, Any]]:
    match = _MARK.match(line.rstrip())
    if match is None:
        raise FormError(number, f"{line[:40]!r} names no part")
    name = match[2]
    known = (*_ROLES, "call", *_ONCE)
    if name not in known:
        hint = did_you_mean(name, known) or f"The parts are {listed(known)}."
        raise FormError(number, f"there is no part {name!r}. {hint}")
    if not match[3].strip():
        return name, {}
    more = _json(_Part(number - 1, name, {}, match[3]), dict)
    if extra := [key for key in more if key not in _OWN.get(name, ())]:
        raise FormError(number, f"a part {name!r} says nothing of {listed(extra)}")
    return name, more


def _json(part: _Part, kind: type) -> Any:
    try:
        value = parse(part.text)
    except StrictJsonError as error:
        raise FormError(part.line + _line_of(part.text), f"{part.name} is not JSON ({error})") from None
    if not isinstance(value, kind):
        raise FormError(part.line, f"{part.name} is not a JSON {'object' if kind is dict else 'list'}")
    return value


def _line_of(text: str) -> int:
    """In which line of a text its JSON goes wrong, from 1 on."""
    try:
        json.loads(text)
    except json.JSONDecodeError as error:
        return error.lineno
    except RecursionError:
        pass
    return 1


def _document(parts: list[_Part], fields: dict[str, Any], row: Example) -> Example:
    texts = [part for part in parts if part.name == "text"]
    stray = next((part for part in parts if part.name not in ("text", "fields")), None)
    if stray is not None:
        raise FormError(stray.line, f"a document has no part {stray.name!r}, but text and fields")
    if not texts or not texts[0].text.strip():
        raise FormError(texts[0].line if texts else 1, "the document is blank; to be rid of it, reject it")
    if "\0" in texts[0].text:
        raise FormError(texts[0].line, "a NUL character stands in the text")
    return make_document(texts[0].text, fields=fields, origin=row.origin)


def _talk(
    parts: list[_Part], found: dict[str, _Part], fields: dict[str, Any], row: Example, check: Check
) -> Example:
    turns, lines = _turns(parts)
    if "expected" not in found:
        raise FormError(parts[-1].line, "the part 'expected' is missing: the answer that is to be learnt")
    asked = max((at for at, turn in enumerate(turns) if turn["role"] == "user"), default=None)
    if asked is None or not turns[asked]["content"].strip():
        raise FormError(lines[asked or 0], "nothing is asked: the last part 'user' is blank or missing")
    values: dict[str, Any] = {"messages": turns}
    if "rejected" in found:
        values["rejected"] = found["rejected"].text
    if "tools" in found and found["tools"].text.strip():
        values["tools"] = _json(found["tools"], list)
    try:
        read = talk(values)
    except BadRow as bad:
        said = _IN_MESSAGE.sub("", str(bad).partition(": ")[2] or str(bad))
        raise FormError(_place(str(bad), lines, found), said) from None
    messages, rejected = read.messages, read.rejected
    if rejected is not None and not rejected.strip():
        raise FormError(found["rejected"].line, "the rejected answer is blank; take the whole part out")
    for line, text in [*zip(lines, (one.said for one in messages), strict=True), (1, rejected or "")]:
        if "\0" in text:
            raise FormError(line, "a NUL character stands in the text")
    new = make_example(messages, fields=fields, origin=row.origin, rejected=rejected, desirable=_rated(found))
    try:
        return held_to(new, check)
    except BadRow as bad:
        raise FormError(found["expected"].line, f"{bad}; to be rid of the row, reject it") from None


def _turns(parts: list[_Part]) -> tuple[list[dict[str, Any]], list[int]]:
    """The messages in the shape of the wire, and the line that each begins at."""
    turns, lines = list[dict[str, Any]](), list[int]()
    ended = False
    for part in parts:
        if part.name in _ROLES or part.name == "expected":
            if ended:
                raise FormError(part.line, "a message stands below 'expected', which is the last one")
            ended = part.name == "expected"
            turns.append({"role": "assistant" if ended else part.name, "content": part.text, **part.more})
            lines.append(part.line)
        elif part.name == "call":
            if not turns or turns[-1]["role"] != "assistant":
                raise FormError(part.line, "a call stands below another message than the assistant's")
            call = {"function": {"name": part.more.get("name"), "arguments": part.text}}
            turns[-1].setdefault("tool_calls", []).append(
                {**({"id": part.more["id"]} if "id" in part.more else {}), **call}
            )
        elif part.name == "text":
            raise FormError(part.line, "only a document has a part 'text'; the answer is 'expected'")
    return turns, lines


def _place(said: str, lines: list[int], found: dict[str, _Part]) -> int:
    """The line that a reader's words are about."""
    match = _NUMBERED.search(said)
    if match and (at := int(match[1]) if match[1] else int(match[2]) - 1) < len(lines):
        return lines[at]
    part = next((found[name] for name in ("tools", "rejected") if name in found and name in said), None)
    return part.line if part else lines[0] if lines else 1


def _rated(found: dict[str, _Part]) -> bool | None:
    if "rating" not in found:
        return None
    said = found["rating"].text.strip()
    if said not in _RATINGS:
        raise FormError(found["rating"].line, f"the rating is {said[:40]!r}, neither good nor bad")
    return _RATINGS[said]
