"""What random files for fuzzing are made of: texts, values, rows, talks, and lines of them."""

import io
import json
import zipfile
from random import Random
from typing import Any, NamedTuple

TEXTS = ["", " ", "a", "Läuft", "\u202e", "<b>x</b>", "a,b", 'say "x"', "=1+1", "\U0001f600", "x" * 300,
         "null", "true", "-1", "1e5", "\u2028", "{{ x }}", "<|im_end|>", "'; --", "yes", "hello there"]  # fmt: skip
KEYS = ["input", "expected", "text", "messages", "prompt", "completion", "chosen", "rejected", "label", "tools",
        "role", "content", "weight", "train", "tool_calls", "name", "arguments", "id", "type", "function",
        "from", "value"]  # fmt: skip


class Made(NamedTuple):
    """A file, how it is read, and how many rows it has."""

    name: str
    data: bytes
    source: dict[str, Any]
    rows: int | None
    """None where nobody can say."""


def text(draw: Random) -> str:
    return "".join(draw.choices(TEXTS, k=draw.choice([1, 1, 1, 2, 3])))


def value(draw: Random, keys: list[str] = KEYS, depth: int = 0) -> Any:
    """Any JSON value."""
    kind = draw.randrange(9 if depth < 4 else 6)
    if kind < 3:
        return text(draw)
    if kind < 6:
        return draw.choice([None, True, False, 0, 1, -1, 2**70, 0.5, 1e-9, "user", "assistant"])
    count = draw.randrange(4)
    if kind == 6:
        return [value(draw, keys, depth + 1) for _ in range(count)]
    return {draw.choice(keys): value(draw, keys, depth + 1) for _ in range(count)}


def talk(draw: Random, said: str = "content", who: str = "role") -> list[dict[str, Any]]:
    roles = draw.choice(
        [["user", "assistant"], ["system", "user", "assistant"], ["human", "gpt"], ["user", "user"]]
    )
    turns: list[dict[str, Any]] = [{who: role, said: text(draw) or "x"} for role in roles]
    if draw.random() < 0.3:
        turns[draw.randrange(len(turns))][draw.choice(KEYS)] = value(draw)
    return turns


def row(draw: Random, keys: list[str] = KEYS) -> dict[str, Any]:
    """A row that may be good, nearly good, or anything."""
    shape = draw.randrange(5)
    if shape == 0:
        return {"input": text(draw), "expected": text(draw)}
    if shape == 1:
        return {"messages": talk(draw)}
    if shape == 2:
        return {"prompt": text(draw), "chosen": value(draw, keys), "rejected": text(draw)}
    return {draw.choice(keys): value(draw, keys) for _ in range(draw.randrange(1, 6))}


def lines(draw: Random, rows: list[Any], blanks: float = 0.1) -> bytes:
    """JSONL with blank lines between, and lines that are no JSON; each that is not blank is a row."""
    out = []
    for one in rows:
        made = json.dumps(one, ensure_ascii=draw.random() < 0.5)
        if draw.random() < 0.1:
            made = draw.choice(
                [made[:-1], "{", "[1]", "7", '"x"', '{"a": 1, "a": 2}', "[" * 80, '{"a": NaN}', "\x00"]
            )
        out.append(made)
        if draw.random() < blanks:
            out.append(draw.choice(["", "  ", "\t"]))
    return "\n".join(out).encode("utf-8", "surrogatepass")


def zipped(files: dict[str, Any]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as made:
        for name, data in files.items():
            made.writestr(name, data)
    return stream.getvalue()
