"""Boilerplate: lines that many texts share and nobody wrote for any of them.

    shared = SharedLines()
    for text in mails: shared.add(text)
    lines = shared.found(share=0.2, least=20)        # {"This message is confidential …": 314}
    without_lines(mails[0], lines)

`RunningLines` does the same for the heads and feet of files' pages, which are short, and have numbers in them.
"""

import re
from collections import Counter
from collections.abc import Collection, Hashable
from typing import Generic, TypeVar

F = TypeVar("F", bound=Hashable)
"""What a file is known by."""

_FEWEST_WORDS = 4
"""A line of fewer is never boilerplate where it may stand anywhere: "Yes." may well be what everybody answers."""
_LONGEST = 400
"""Characters of a line that counts."""
_MOST_LINES = 200_000
"""Different lines that are counted at once."""
_EDGE = 2
"""Lines at the top of a page, and at its bottom, that may be its head and foot."""
_FEWEST_PAGES = 5
_SHARE_OF_PAGES = 0.4
"""Left and right pages may have heads of their own, and the first of a chapter none."""
_PAGE = re.compile(
    r"\b(?:pages?|pag\.?|página|pagina|seite|sida|side|strona|p\.|s\.)\s*\d{1,5}(?:\s*(?:of|von|de|di|sur|av|af|z|/)\s*\d{1,5})?",
    re.IGNORECASE,
)
_NUMBER = re.compile(r"\W*(?:\d{1,5}|[ivxlc]{1,7})(?:\s*(?:of|von|de|di|sur|/)\s*\d{1,5})?\W*", re.IGNORECASE)


class SharedLines:
    """Counts in how many texts a line stands. Past 200,000 different lines the rare ones are forgotten.

    A count may then be too low by one for each 200,000 lines that were added (Misra and Gries 1982).
    """

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._texts = 0

    def add(self, text: str) -> None:
        """Count a text's lines, each once."""
        self._texts += 1
        self._counts.update(shared_lines(text))
        self._counts = _bounded(self._counts)

    def found(self, share: float, least: int) -> dict[str, int]:
        """Lines that stand in at least `share` of the texts, and in `least` of them, with how many that are."""
        enough = max(least, share * self._texts)
        return {line: count for line, count in self._counts.items() if count >= enough}


class RunningLines(Generic[F]):
    """Counts what stands at the top and the bottom of files' pages; pages of several files may come in turn.

    Past 200,000 different lines those that were seen least are forgotten, which heads are not.
    """

    def __init__(self) -> None:
        self._counts: Counter[tuple[F, str]] = Counter()
        self._pages: Counter[F] = Counter()

    def add(self, file: F, page: str) -> None:
        """Count a page's first and last lines."""
        self._pages[file] += 1
        lines = page.splitlines()
        self._counts.update({(file, _numberless(lines[at])) for at in _edges(lines)})
        seen = 0
        while len(self._counts) > (_MOST_LINES // 2 if seen else _MOST_LINES):
            seen += 1
            self._counts = Counter({one: count for one, count in self._counts.items() if count > seen})

    def found(self) -> dict[F, frozenset[str]]:
        """Of each file what four pages in ten have in common, and five at least, with a sign for the page's number."""
        lines: dict[F, set[str]] = {}
        for (file, line), count in self._counts.items():
            if count >= max(_FEWEST_PAGES, _SHARE_OF_PAGES * self._pages[file]):
                lines.setdefault(file, set()).add(line)
        return {file: frozenset(several) for file, several in lines.items()}


def shared_lines(text: str) -> set[str]:
    """The lines that others may share, trimmed, with blanks collapsed. A text of one line is what somebody wrote."""
    lines = {_plain(line) for line in text.splitlines()} if "\n" in text else ()
    return {line for line in lines if len(line) <= _LONGEST and line.count(" ") >= _FEWEST_WORDS - 1}


def without_lines(text: str, lines: Collection[str]) -> str:
    """The text without those lines, as `SharedLines` compares them. A text that is nothing else stays as it is."""
    if not lines or "\n" not in text:
        return text
    every = text.splitlines()
    return _without(text, every, {at for at, line in enumerate(every) if _plain(line) in lines})


def without_running(page: str, running: Collection[str]) -> str:
    """The page without its head and foot, as `RunningLines` compares them. A page that is nothing else stays as it is."""
    if not running:
        return page
    lines = page.splitlines()
    return _without(page, lines, {at for at in _edges(lines) if _numberless(lines[at]) in running})


def _bounded(counts: Counter[str]) -> Counter[str]:
    while len(counts) > _MOST_LINES:
        counts = Counter({line: count - 1 for line, count in counts.items() if count > 1})
    return counts


def _without(text: str, lines: list[str], out: Collection[int]) -> str:
    kept = "\n".join(line for at, line in enumerate(lines) if at not in out).strip("\n")
    return kept if out and kept.strip() else text


def _edges(lines: list[str]) -> set[int]:
    """Where the first and the last lines with words stand."""
    said = [at for at, line in enumerate(lines) if line.strip() and len(line) <= _LONGEST]
    return {*said[:_EDGE], *said[-_EDGE:]}


def _plain(line: str) -> str:
    return " ".join(line.split())


def _numberless(line: str) -> str:
    plain = _plain(line)
    return "#" if _NUMBER.fullmatch(plain) else _PAGE.sub("#", plain)
