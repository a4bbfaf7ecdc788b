"""A grammar's rules, read from their text (data/synthetic/grammar.py has the notation)."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_MANY = 3
"""The most repetitions that `*` and `+` draw."""
_TOKEN = re.compile(
    r"""(?P<blank>[ \t\r]+|//[^\n]*)|(?P<line>\n)
    |(?P<rule>[A-Za-z_]\w*[ \t]*:(?!:))|(?P<name>[A-Za-z_]\w*)|(?P<weight>\d+(?:\.\d+)?:)
    |(?P<text>"(?:[^"\\\n]|\\.)*")|(?P<pattern>/(?:[^/\\\n]|\\.)+/)
    |(?P<times>\{\d+(?:,\d+)?\})|(?P<sign>[()|?*+])""",
    re.VERBOSE,
)


class GrammarError(ValueError):
    """The grammar cannot be used; says where and why."""


class Text(NamedTuple):
    """Letters as they stand."""

    text: str


class Letters(NamedTuple):
    """One of several letters."""

    letters: str


class Name(NamedTuple):
    """Another rule."""

    rule: str


class Row(NamedTuple):
    """Parts one after the other."""

    parts: tuple["Part", ...]


class Joined(NamedTuple):
    """Parts one after the other, without blanks."""

    parts: tuple["Part", ...]


class Choice(NamedTuple):
    """One of several ways, by weight."""

    ways: tuple["Part", ...]
    weights: tuple[float, ...]


class Repeat(NamedTuple):
    """A part again and again."""

    part: "Part"
    least: int
    most: int


Part = Text | Letters | Name | Row | Joined | Choice | Repeat


class _Token(NamedTuple):
    kind: str
    text: str
    line: int


def _tokens(source: str) -> Iterator[_Token]:
    at, line = 0, 1
    while at < len(source):
        found = _TOKEN.match(source, at)
        if found is None:
            raise GrammarError(
                f"line {line}: {source[at : at + 20].splitlines()[0]!r} is no part of a grammar"
            )
        kind = str(found.lastgroup)
        if kind == "line":
            line += 1
        elif kind != "blank":
            yield _Token(kind, found.group(), line)
        at = found.end()


def read_rules(source: str) -> dict[str, Part]:
    """The rules by their names. Raises GrammarError with the line of what cannot be read."""
    rules = dict[str, Part]()
    tokens = list(_tokens(source))
    at = 0
    while at < len(tokens):
        head = tokens[at]
        if head.kind != "rule":
            raise GrammarError(
                f"line {head.line}: a rule begins with its name, as in `start: …`, not with {head.text!r}"
            )
        end = next((n for n in range(at + 1, len(tokens)) if tokens[n].kind == "rule"), len(tokens))
        name = head.text.rstrip(": \t")
        if name in rules:
            raise GrammarError(f"line {head.line}: the rule {name!r} stands twice")
        parser = _Parser(tokens[at + 1 : end], head.line)
        rules[name] = parser.choice()
        parser.done()
        at = end
    return rules


class _Parser:
    """Reads the right side of one rule."""

    def __init__(self, tokens: list[_Token], line: int) -> None:
        self._tokens, self._at, self._line = tokens, 0, line
        self._open = 0

    def _next(self) -> _Token | None:
        return self._tokens[self._at] if self._at < len(self._tokens) else None

    def done(self) -> None:
        """Raises GrammarError where something is left."""
        if (left := self._next()) is not None:
            raise GrammarError(f"line {left.line}: {left.text!r} stands where nothing is expected")

    def choice(self) -> Part:
        """Ways with `|` between them."""
        ways, weights = list[Part](), list[float]()
        while True:
            weight = 1.0
            if (token := self._next()) is not None and token.kind == "weight":
                self._at += 1
                weight = float(token.text[:-1])
            ways.append(self._row())
            weights.append(weight)
            if (token := self._next()) is None or token.text != "|" or token.kind != "sign":
                break
            self._at += 1
        if sum(weights) <= 0:
            raise GrammarError(f"line {self._line}: all ways have the weight 0")
        return ways[0] if len(ways) == 1 else Choice(tuple(ways), tuple(weights))

    def _row(self) -> Part:
        parts = list[Part]()
        while (token := self._next()) is not None and not (token.kind == "sign" and token.text in "|)"):
            parts.append(self._repeated(self._one(token)))
        return parts[0] if len(parts) == 1 else Row(tuple(parts))

    def _one(self, token: _Token) -> Part:
        self._at += 1
        match token.kind:
            case "text":
                return Text(re.sub(r"\\(.)", _escaped, token.text[1:-1]))
            case "pattern":
                return _pattern(token.text[1:-1], token.line)
            case "name":
                return Name(token.text)
            case "sign" if token.text == "(":
                return self._group(token.line)
        raise GrammarError(f"line {token.line}: {token.text!r} stands where a part of a sentence is expected")

    def _group(self, line: int) -> Part:
        self._open += 1
        if self._open > 50:
            raise GrammarError(f"line {line}: brackets stand more than 50 deep in one another")
        part = self.choice()
        if (closed := self._next()) is None or closed.text != ")":
            raise GrammarError(f"line {line}: a bracket is not closed")
        self._at += 1
        self._open -= 1
        return part

    def _repeated(self, part: Part) -> Part:
        token = self._next()
        if token is None or not (token.kind == "times" or (token.kind == "sign" and token.text in "?*+")):
            return part
        self._at += 1
        return Repeat(part, *_times(token.text, token.line))


def _times(text: str, line: int) -> tuple[int, int]:
    """The least and the most repetitions."""
    if text in ("?", "*", "+"):
        return {"?": (0, 1), "*": (0, _MANY), "+": (1, _MANY)}[text]
    least, _, most = text[1:-1].partition(",")
    low, high = int(least), int(most or least)
    if low > high or high > 1000:
        raise GrammarError(f"line {line}: {text} is no number of repetitions up to 1000")
    return low, high


def _escaped(found: re.Match[str]) -> str:
    return {"n": "\n", "t": "\t"}.get(found.group(1), found.group(1))


_SETS = {
    "d": "0123456789",
    "w": "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_",
    "s": " ",
}
_PIECE = re.compile(
    r"(?:\[(?P<set>(?:[^\]\\]|\\.)+)\]|\\(?P<class>.)|(?P<sign>[^\\[\]{}()|?*+.^$]))(?P<times>[?*+]|\{\d+(?:,\d+)?\})?"
)


def _pattern(text: str, line: int) -> Part:
    """A pattern of plain signs, sets and repetitions, as a part without blanks."""
    parts, at = list[Part](), 0
    while at < len(text):
        found = _PIECE.match(text, at)
        if found is None:
            fix = "it may hold plain signs, [a-z], \\d, \\w, \\s and ? * + {1,3}; choices and groups stand outside of it"
            raise GrammarError(
                f"line {line}: the pattern /{text}/ cannot be drawn from at {text[at]!r}: {fix}"
            )
        letters = _letters(found, text, line)
        one = Letters(letters)
        parts.append(Repeat(one, *_times(found["times"], line)) if found["times"] else one)
        at = found.end()
    return Joined(tuple(parts))


def _letters(found: re.Match[str], text: str, line: int) -> str:
    if found["sign"]:
        return found["sign"]
    if found["class"]:
        return _SETS.get(found["class"], _escaped_sign(found["class"]))
    inner = found["set"]
    if inner.startswith("^"):
        raise GrammarError(f"line {line}: the set [{inner}] of /{text}/ says what is not drawn; say what is")
    letters, signs = "", re.findall(r"\\.|.", inner)
    at = 0
    while at < len(signs):
        if at + 2 < len(signs) and signs[at + 1] == "-":
            first, last = (ord(signs[place][-1]) for place in (at, at + 2))
            if first > last or last - first > 1000:
                raise GrammarError(
                    f"line {line}: [{inner}] of /{text}/ has a range that goes backwards, or is too long"
                )
            letters += "".join(map(chr, range(first, last + 1)))
            at += 3
        else:
            sign = signs[at]
            letters += _SETS.get(sign[1], _escaped_sign(sign[1])) if len(sign) == 2 else sign
            at += 1
    return letters


def _escaped_sign(sign: str) -> str:
    return {"n": "\n", "t": "\t"}.get(sign, sign)
