"""Flaws of rows, told by rules: each has a name, a limit and a source.

    found = judged(row, Rules())
    found.flaws       ("cut", "repeated_words")
    found.score       0.8: the share of the rules that could be asked of it which it passes

The rules of what is said (data/quality_text.py) are asked of answers and documents of some length, in prose: a
label, JSON or code is judged by none of them. Rules of a web page's layout are asked of documents alone, since a
good answer may be a list.
"""

import json
import re
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from tunewright.core.example import Example
from tunewright.data.audit.refusals import refuses
from tunewright.data.normal import normal_text, plain_text
from tunewright.data.quality_rules import Rules
from tunewright.data.quality_text import Prose

MOST_CHARS = 50_000
"""Characters of a text that are looked at: its beginning."""
_ANSWERS_REPEAT = 2
"""With MassiveText's limits as they are, 6.8 % of gsm8k's answers were flawed: right ones that reckon in like sentences."""
_PROSE_CHARS = 80
"""From which on an answer is prose that should end somewhere."""
_LEFT = re.compile(
    r"\{\{ ?[\w#/][\w .#/'-]{0,40}\}\}|\blorem ipsum\b"
    r"|\A\W*(?:tbd|todo|n/?a|asdf|placeholder|see above|same as above|no answer|your answer here|insert answer here"
    r"|coming soon)\W*\Z",
    re.IGNORECASE,
)
_OPEN_END = re.compile(r"(?:[^\W\d_]|[,(–—-])\Z")
_LIST = re.compile(r"\s*(?:[-*•·#>|]|\d+[.)])")
_ENDED = re.compile(r"[.!?…](?=\s|\Z)|[。！？]|[.!?…][\"”’')]")
_OF_ALL = ("symbols", "repeated_lines", "ellipsis")
_OF_DOCUMENTS = ("numbers", "bullets", "unended_lines", "short_lines")
_HARD = (json.JSONDecodeError, RecursionError, ValueError)


class Judged(NamedTuple):
    """What the rules say of a row."""

    flaws: tuple[str, ...]
    """The rules that it fails, by name."""
    asked: int
    """The rules that could be asked of it."""

    @property
    def score(self) -> float:
        """The share of them that it passes; 1 where none could be asked."""
        return 1 - len(self.flaws) / self.asked if self.asked else 1.0


def judged(row: Example, rules: Rules) -> Judged:
    """Which rules a row fails. Of a conversation, its last answer is judged."""
    said = row.expected[:MOST_CHARS]
    found = dict(_answer(row, said, rules)) | (dict(_text(row, said, rules)) if _is_prose(said) else {})
    return Judged(tuple(name for name, fails in found.items() if fails), len(found))


def _answer(row: Example, said: str, rules: Rules) -> Iterator[tuple[str, bool]]:
    """Rule → whether it is failed: those of what is said at all, and of answers."""
    calls = row.messages[-1].tool_calls
    if rules.empty:
        yield "empty", not plain_text(said).strip(" .,;:_-'\"")
    if rules.placeholder and not calls:
        yield "placeholder", _LEFT.search(said) is not None
    if row.is_document or calls:
        return
    if rules.echo is not None:
        yield "echo", _alike(row.input_text[:MOST_CHARS], said, rules.echo)
    if rules.cut:
        yield "cut", len(row.expected) <= MOST_CHARS and is_cut(said)
    if rules.refusal:
        yield "refusal", refuses(said) is not None


def _text(row: Example, said: str, rules: Rules) -> Iterator[tuple[str, bool]]:
    """Rule → whether it is failed: those of prose."""
    prose = Prose(said)
    if prose.count < rules.min_words or prose.unspaced:
        return
    if rules.word_length is not None:
        least, most = rules.word_length
        yield "word_length", not least <= prose.word_length <= most
    if rules.stop_words is not None:
        yield "stop_words", prose.knows_language and prose.stop_words < rules.stop_words
    if rules.repeated_words is not None:
        room = 1 if row.is_document else _ANSWERS_REPEAT
        yield "repeated_words", prose.repeats_words(room * rules.repeated_words)
    for name in (*_OF_ALL, *(_OF_DOCUMENTS if row.is_document else ())):
        limit: float | None = getattr(rules, name)
        if limit is not None:
            yield name, getattr(prose, name) > limit
    if rules.boilerplate is not None:
        yield "boilerplate", prose.boilerplate >= rules.boilerplate


def is_cut(answer: str) -> bool:
    """Whether an answer breaks off: in a sentence, a block of code, or JSON."""
    said = answer.rstrip()
    if said.count("```") % 2:
        return True
    if said[:1] in ("{", "["):
        return _is_open_json(said)
    last = said[said.rfind("\n") + 1 :]
    if (
        len(said) < _PROSE_CHARS
        or len(last) < _PROSE_CHARS / 2
        or "```" in said
        or said[0] == "<"
        or _LIST.match(last)
    ):
        return False
    ends = [found.end() for found in _ENDED.finditer(said)]
    if not ends or said[ends[-1] :].lstrip(" \"”’')").startswith(("-", "–", "—")):
        return False  # what has no sentence has no end of one, and a name may stand below a saying
    return bool(_OPEN_END.search(said)) and not said.split()[-1].startswith("#")


def _is_open_json(said: str) -> bool:
    """Whether brackets stay open at the end of what began as JSON."""
    try:
        json.loads(said)
    except _HARD:
        bare = re.sub(r'"(?:[^"\\]|\\.)*"?', "", said)
        return any(bare.count(one) > bare.count(other) for one, other in ("{}", "[]"))
    return False


def _is_prose(said: str) -> bool:
    """Whether it is neither JSON nor mostly code."""
    if said[:1] in ("{", "["):
        return False
    code = sum(map(len, said.split("```")[1::2]))
    return code < len(said) / 2


def _alike(question: str, answer: str, share: float) -> bool:
    """Whether they are the same, or have so many word pairs in common."""
    one, other = normal_text(question), normal_text(answer)
    if one == other:
        return len(one) > 3
    if not 0.5 < (len(one) + 1) / (len(other) + 1) < 2:
        return False
    first, second = (set(pairwise(words)) for words in (one.split(), other.split()))
    return len(first & second) >= share * len(first | second) > 0
