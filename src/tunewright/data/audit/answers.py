"""What is odd about answers: nothing said, the question said again, broken off, refusing, or the same for every row.

Badly rated answers are left out: they are meant to be no good.
"""

import re
from collections import Counter
from collections.abc import Iterator
from hashlib import blake2b

from tunewright.core.example import Example
from tunewright.data.audit.recipes import keep_line, quoted, without
from tunewright.data.audit.refusals import refuses
from tunewright.data.audit.seen import Hits, Oddity, Scope
from tunewright.data.labels import MOST_LABELS, ROWS_PER_LABEL
from tunewright.data.normal import normal_text
from tunewright.data.quality import is_cut

MANY_REFUSALS = 0.03
"""A share of refusals from which on a model learns to refuse what is harmless: 3 % of safety rows made models safe, more
made them refuse harmless prompts (Bianchi et al. 2023, Safety-Tuned LLaMAs)."""
CONSTANT = 0.9
"""The share of rows with one answer from which on a model would learn to say it always. Our own choice, because what is left
then is too little to tell a second answer from a slip; labels that are merely uneven are told below it (labels.py)."""
_FEWEST = 10
"""Below this many rows, shares say little. Our own choice: a tenth is one row."""
_STANDS_FOR = frozenset(
    (
        *("ok", "okay", "k", "fine", "done", "test", "asdf", "xxx", "answer", "response", "output", "placeholder"),
        *("same", "same as above", "see above", "as above", "see previous", "ditto", "idem", "no answer", "no response"),
        *("insert answer here", "your answer here", "answer here", "to be done", "coming soon", "empty", "blank"),
        *("siehe oben", "wie oben", "dito", "k.a.", "keine antwort", "voir ci-dessus", "pas de réponse", "ver arriba"),
        *("sin respuesta", "vedi sopra", "nessuna risposta", "ver acima", "sem resposta", "zie boven", "同上", "同上。"),
    )
)  # fmt: skip
_LEFT = re.compile(
    r"\{\{ ?[\w#/][\w .#/'-]{0,40}\}\}"
    r"|\[(?:insert|your|my|the|name of|company|customer|recipient|sender|date|link|product)\b[^\]\n]{0,40}\]"
    r"|<(?:insert|your)\b[^>\n]{1,40}>|\blorem ipsum\b",
    re.IGNORECASE,
)
_BLANKS = 20
"""Blanks that are told apart, to name them in a line that drops their rows."""
_LONG = 80
"""Characters from which on an answer is prose that should end somewhere. Our own choice: a line of a terminal."""
_CLOSED = tuple(".!?…\"'”»)]}。！？』」`*_>|~")
_SAME_LENGTH = 0.01
"""The share of answers of one length, the longest, that shows a cut. Our own choice, beside three times as many as of any
other length, because lengths of prose hardly repeat."""


class Answers:
    """Reads each row's answer."""

    kinds: tuple[str, ...] = (
        "placeholder_answer",
        "echo_answer",
        "cut_answer",
        "refusal",
        "constant_answer",
        "template_left",
        "outer_blank",
    )

    def __init__(self) -> None:
        self._hits = {kind: Hits() for kind in self.kinds}
        self._answers = Counter[bytes]()
        self._first: dict[bytes, Example] = {}
        self._seen = self._closed = self._open = 0
        self._stand_ins = set[str]()
        self._blanks = set[str]()
        self._long_echo = Hits()
        self._broken = Hits()
        self._opened = Hits()
        self._lengths = Counter[int]()
        self._longest: dict[int, Hits] = {}

    def see(self, row: Example) -> None:
        """Take a row in."""
        if row.is_document or not row.desirable:
            return
        answer = row.messages[-1].content
        if row.messages[-1].tool_calls:
            return
        self._seen += 1
        folded = normal_text(answer)
        self._count(row, folded)
        if folded in _STANDS_FOR:
            self._hits["placeholder_answer"].add(row, answer)
            self._stand_ins.add(folded)
        if len(folded) > 3 and folded == normal_text(row.input_text):
            self._hits["echo_answer"].add(row, answer)
            if folded.count(" ") > 1:
                self._long_echo.add(row, answer)
        if (at := refuses(answer)) is not None:
            self._hits["refusal"].add(row, answer, at)
        if found := _LEFT.search(answer):
            self._hits["template_left"].add(row, answer, found.start())
            if len(self._blanks) <= _BLANKS:
                self._blanks.update(blank[0] for blank in _LEFT.finditer(answer))
        if answer != answer.strip():
            self._hits["outer_blank"].add(row, answer, 0 if answer[0].isspace() else len(answer))
        self._see_end(row, answer.rstrip())

    def _count(self, row: Example, folded: str) -> None:
        key = blake2b(folded.encode("utf-8", "surrogatepass"), digest_size=8).digest()
        if key in self._answers or len(self._answers) <= MOST_LABELS:
            self._answers[key] += 1
            self._first.setdefault(key, row)

    def _see_end(self, row: Example, answer: str) -> None:
        size = len(answer)
        if size >= _LONG:
            self._lengths[size] += 1
            if size >= max(self._longest, default=0):
                self._longest = {size: self._longest.get(size, Hits())}
                if not answer.endswith(_CLOSED):
                    self._longest[size].add(row, answer, size)
        if answer.count("```") % 2:
            self._broken.add(row, answer, size)
        elif size >= _LONG and "```" not in answer and answer[0] not in "{[<":
            if answer.endswith(_CLOSED):
                self._closed += 1
            elif is_cut(answer):
                self._opened.add(row, answer, size)
            else:
                self._open += 1

    @property
    def _few_answers(self) -> bool:
        """Whether the answers are labels: few, and said again and again."""
        return len(self._answers) <= MOST_LABELS and len(self._answers) * ROWS_PER_LABEL <= self._seen

    def found(self, scope: Scope) -> Iterator[Oddity]:
        """What is odd, when all rows have been seen."""
        hits, labels = self._hits, self._few_answers
        if hits["placeholder_answer"] and not labels:
            words = ", ".join(map(quoted, sorted(self._stand_ins)))
            line = keep_line(f"expected.split() | join(' ') | lower not in [{words}]")
            told = self._told("placeholder_answer", scope, "answer with a word that stands for an answer")
            yield told._replace(recipe=line)
        if labels:  # "refund" may well be asked and answered
            hits["echo_answer"] = self._long_echo
        if hits["echo_answer"]:
            yield self._told("echo_answer", scope, "answer with the question itself")
        yield from self._cut(scope)
        yield from self._refusals(scope)
        yield from self._constant(scope)
        if hits["template_left"]:
            told = self._told("template_left", scope, "answer with a blank that is still to be filled in")
            yield told._replace(recipe=without("expected", self._blanks))
        if 0 < hits["outer_blank"].count < self._seen:
            yield self._told(
                "outer_blank", scope, "answer with blanks or line ends around the text, the others without"
            )

    def _told(self, kind: str, scope: Scope, words: str) -> Oddity:
        return Oddity(kind, self._hits[kind], f"{scope.share(self._hits[kind].count)} {words}.")

    def _cut(self, scope: Scope) -> Iterator[Oddity]:
        if self._broken:
            message = f"{scope.share(self._broken.count)} open a block of code and do not close it."
            yield Oddity("cut_answer", self._broken, message)
        # where most answers end without a full stop, its absence says nothing
        if self._opened and self._closed >= 4 * (self._open + self._opened.count):
            message = f"{scope.share(self._opened.count)} end in the middle of a sentence, which most do not."
            yield Oddity("cut_answer", self._opened, message)
        # answers of one length that end properly follow a pattern; those that do not were cut there
        for size, hits in self._longest.items():
            others = [count for length, count in self._lengths.items() if length != size]
            spread = len(others) >= _FEWEST and hits.count >= 3 * max(others)
            if spread and hits.count >= max(3, _SAME_LENGTH * self._seen):
                message = f"{scope.share(hits.count)} have the longest answers ({size:,} characters) and no end: cut off."
                yield Oddity("cut_answer", hits, message)

    def _refusals(self, scope: Scope) -> Iterator[Oddity]:
        hits = self._hits["refusal"]
        if not hits:
            return
        many = hits.count >= max(_FEWEST / 2, MANY_REFUSALS * self._seen)
        words = f"{scope.share(hits.count)} refuse, or speak as an AI"
        if many:
            words += f": from about {MANY_REFUSALS:.0%} on a model learns to refuse harmless questions too"
        yield Oddity("refusal", hits, f"{words}.", "warning" if many else "info")

    def _constant(self, scope: Scope) -> Iterator[Oddity]:
        if self._seen < _FEWEST or not self._answers:
            return
        key, count = self._answers.most_common(1)[0]
        if count >= CONSTANT * self._seen:
            row, hits = self._first[key], Hits()
            hits.add(row, row.expected)
            hits.count = count
            message = f"{scope.share(count)} have one and the same answer."
            yield Oddity("constant_answer", hits, message, None if count == self._seen else "warning")
