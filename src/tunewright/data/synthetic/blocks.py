"""Taking what was asked for out of what a teacher says: models talk around it, think aloud, and put it between fences."""

import re
from collections.abc import Iterator

_THOUGHT = re.compile(r"\A\s*<(think|thinking|reasoning)>.*?</\1>", re.DOTALL | re.IGNORECASE)
_UNENDED = re.compile(r"\A\s*<(think|thinking|reasoning)>", re.IGNORECASE)
_ENDED = re.compile(r"</(?:think|thinking|reasoning)>[ \t]*(?=\n|\Z)", re.IGNORECASE)
_BEGUN = re.compile(r"<(?:think|thinking|reasoning)>", re.IGNORECASE)
_FENCE = re.compile(r"[ \t]*(`{3,}|~{3,})[ \t]*([\w+#.-]*)")


def answer(reply: str) -> str:
    """The reply without what the model thought aloud before it; blank where it only thought."""
    said = _THOUGHT.sub("", reply, count=1)
    # where the model's template begins the thought, its end alone stands in the reply
    if said == reply:
        ended = _ENDED.search(said)
        if ended and not _BEGUN.search(said, 0, ended.start()):
            said = said[ended.end() :]
    return "" if _UNENDED.match(said) else said.strip()


def code_block(text: str, names: tuple[str, ...] = ()) -> str:
    """What stands between the first fences, those with one of the names before others; the whole text without any."""
    found = list(_blocks(text))
    named = [body for name, body in found if name.lower() in names]
    bodies = named or [body for _, body in found]
    return bodies[0].strip("\n") if bodies else text.strip()


def _blocks(text: str) -> Iterator[tuple[str, str]]:
    """The name and the body of each fenced block that is closed; one pass, however many fences there are."""
    fence, name, body = "", "", list[str]()
    for line in text.splitlines():
        if not fence:
            if opened := _FENCE.match(line):
                fence, name, body = opened[1], opened[2], []
        elif line.strip() and set(line.strip()) == {fence[0]} and len(line.strip()) >= len(fence):
            yield name, "\n".join(body)
            fence = ""
        else:
            body.append(line)


def json_block(text: str) -> str:
    """The JSON value of a text: all of it, what stands between fences, or the object that words stand around."""
    said = code_block(text, ("json",)).strip()
    begin, end = said.find("{"), said.rfind("}")
    return said if said[:1] in ("[", '"') or not 0 <= begin < end else said[begin : end + 1]
