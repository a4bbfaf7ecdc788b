"""Replace personal data and secrets by placeholders that stay the same through a conversation.

    redactor = Redactor()
    done = redactor.redact(["I am Ann Lee, ann@example.org", "Thanks, Ann. Is ann@example.org right?"])
    done.texts   # ("I am [PERSON_1], [EMAIL_1]", "Thanks, [PERSON_1]. Is [EMAIL_1] right?")
    done.report  # counts, masked samples, and what was not looked for

What is found is never logged, printed, written down or put into an exception. Words that were met and names are remembered
while a process lives, and the last texts, up to a bound: rows have many in common.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import chain

from tunewright.core.errors import DataError
from tunewright.data.redact.addresses import find_addresses
from tunewright.data.redact.contacts import find_emails, find_ips, find_phones, find_urls
from tunewright.data.redact.ids import find_ids
from tunewright.data.redact.names import names
from tunewright.data.redact.naming import PLACEHOLDER, Naming, name_words
from tunewright.data.redact.numbers import find_cards, find_ibans
from tunewright.data.redact.people import find_people
from tunewright.data.redact.report import Report
from tunewright.data.redact.secrets import find_secrets
from tunewright.data.redact.span import Finder, Kind, Span
from tunewright.data.redact.starts import HELD, LONGEST_HELD, digit_runs, forget
from tunewright.data.redact.values import Value, allowed, marked

FINDERS: dict[Kind, Finder] = {
    Kind.SECRET: find_secrets,
    Kind.IBAN: find_ibans,
    Kind.CARD: find_cards,
    Kind.NATIONAL_ID: find_ids,
    Kind.EMAIL: find_emails,
    Kind.URL: find_urls,
    Kind.IP: find_ips,
    Kind.PHONE: find_phones,
    Kind.ADDRESS: find_addresses,
    Kind.PERSON: find_people,
}
"""In the order of standing: where two overlap, the earlier kind names the whole."""
DEFAULT = tuple(kind for kind in Kind if kind is not Kind.URL)
"""A web address is seldom personal; a password in one is found as a secret."""
NEEDS_DIGITS = frozenset((Kind.IBAN, Kind.CARD, Kind.NATIONAL_ID, Kind.IP, Kind.PHONE, Kind.ADDRESS))
_STANDING = {kind: place for place, kind in enumerate(FINDERS)}
_TOKEN = re.compile(r"\w+")
_SHORTEST_REPEATED, _LONGEST_REPEATED = 3, 300
"""Characters of what is looked for again in the rest of a conversation."""
_LONGEST_NAME = 60
"""Characters of a name whose pieces are remembered."""
_FEW = 24
"""So many found texts are looked for one by one."""
_SHORT, _REMEMBERED = 200, 20_000
_FEW_DIGITS = 7
"""So few digits by themselves are nobody's: a phone number has eight."""


@dataclass(frozen=True)
class Redacted:
    """One conversation after redaction. It holds nothing of what was found."""

    texts: tuple[str, ...]
    """The texts with placeholders, in the order given."""
    spans: tuple[tuple[Span, ...], ...]
    """For each text what was replaced, in order, without overlaps; places are in the text as it was given."""
    report: Report


class Redactor:
    """Finds the kinds asked for, and replaces them.

    `ner` is a callable that takes a text and gives (start, end) of people's names in it, in characters: a model that
    knows more names than the lists do. `sure` drops what a rule is less sure of (0 to 1). Raises DataError for a kind
    that there is not.
    """

    def __init__(
        self,
        kinds: Sequence[Kind] | None = None,
        *,
        ner: Callable[[str], Iterable[tuple[int, int]]] | None = None,
        sure: float = 0.5,
    ) -> None:
        wanted = set(DEFAULT if kinds is None else kinds)
        if unknown := sorted(str(kind) for kind in wanted if kind not in FINDERS):
            raise DataError(
                f"there is no kind {unknown[0]!r} to redact",
                where="redact.kinds",
                fix=f"The kinds are {', '.join(Kind)}.",
            )
        self._kinds = tuple(kind for kind in FINDERS if kind in wanted)
        self._ner = ner if Kind.PERSON in wanted else None
        self._sure = sure
        self._clean: set[str] = set()
        """Short texts in which nothing was found: names of fields, answers that many rows give."""

    def redact(self, texts: Sequence[str]) -> Redacted:
        """Redact the turns of one conversation: equal things get equal placeholders, a name's parts that of the name.

        Raises DataError where the `ner` callable fails or answers with places outside the text.
        """
        found = self.find_all(texts)
        report = self.report()
        report.take(texts, found)
        return Redacted(Naming(texts).replaced(texts, found), tuple(map(tuple, found)), report)

    def report(self) -> Report:
        """One that has counted nothing so far."""
        return Report(kinds=self._kinds, ner=self._ner is not None)

    def find_all(self, texts: Sequence[str], values: Sequence[Value] = ()) -> list[list[Span]]:
        """What stands in each turn of one conversation, and then in each value of its row's fields: as `find` and
        `find_in_value` have it, and again where only another one gives it away.

        Raises DataError as `redact` does.
        """
        return self.find_each([(texts, values)])[0]

    def find_each(self, rows: Sequence[tuple[Sequence[str], Sequence[Value]]]) -> list[list[list[Span]]]:
        """As `find_all` has it of each row, all rows taken together: what stands in several is looked over once, and few
        lines of code at a time stay in a processor's caches."""
        places = [[*texts, *(value.text for value in values)] for texts, values in rows]
        spans = self._looked_over(chain.from_iterable(places))
        every = list[list[list[Span]]]()
        for (texts, values), of_row in zip(rows, places, strict=True):
            found = [spans.get(text, []) for text in of_row]
            for at, value in enumerate(values, len(texts)):
                if found[at] or value.text.strip().isdecimal():
                    found[at] = self._in_value(value, found[at])
            if any(found):
                found = _repeated(of_row, found)
                for at, value in enumerate(values, len(texts)):
                    if found[at]:
                        found[at] = allowed(value, found[at])
            every.append(found)
        return every

    def find_in_value(self, value: Value) -> list[Span]:
        """As `find`; but digits in a row are a phone number only where the field's name says so, and a column that is
        called Ann is nobody."""
        return self._in_value(value, self.find(value.text))

    def find(self, text: str) -> list[Span]:
        """What stands in one text, in order, without overlaps. Raises DataError as `redact` does."""
        return self._looked_over((text,)).get(text, [])

    def _in_value(self, value: Value, spans: list[Span]) -> list[Span]:
        spans = allowed(value, spans) if spans else spans
        if not value.text.strip().isdecimal():
            return spans
        wanted = Kind.PHONE in self._kinds
        return [
            one
            for one in marked(value, spans)
            if one.sure >= self._sure and (wanted or one.kind != Kind.PHONE)
        ]

    def _looked_over(self, texts: Iterable[str]) -> dict[str, list[Span]]:
        """What stands in those of these texts in which there is something."""
        found = dict[str, list[Span]]()
        for some in _side_by_side(self._unknown(texts)):
            for text, spans in self._told_of(some).items():
                kept = [span for span in spans if span.sure >= self._sure]
                if kept and (kept := _joined(kept, text)):
                    found[text] = kept
                elif self._ner is None and len(text) <= _SHORT and len(self._clean) < _REMEMBERED:
                    self._clean.add(text)
            if len(some[0]) > LONGEST_HELD:
                forget()
        return found

    def _unknown(self, texts: Iterable[str]) -> list[str]:
        """The texts of which it is not known that nothing stands in them, each once."""
        unknown = [text for text in dict.fromkeys(texts) if text and text not in self._clean]
        if self._ner is not None:
            return unknown
        return [text for text in unknown if len(text) > _FEW_DIGITS or not text.isdigit()]

    def _told_of(self, texts: Sequence[str]) -> dict[str, list[Span]]:
        """What the finders say of each of these texts, one finder after the other."""
        told = {text: list[Span]() for text in texts}
        with_digits = [text for text in texts if digit_runs(text)]
        for kind in self._kinds:
            find = FINDERS[kind]
            for text in with_digits if kind in NEEDS_DIGITS else texts:
                told[text] += find(text)
        if self._ner is not None:
            for text in texts:
                told[text] += _told_by(self._ner, text)
        return told


def _side_by_side(texts: Iterable[str]) -> Iterator[list[str]]:
    """Texts that are looked over together: so many short ones as are held, a longer one by itself."""
    some = list[str]()
    for text in texts:
        if len(text) > LONGEST_HELD:
            yield [text]
            continue
        some.append(text)
        if len(some) == HELD:
            yield some
            some = []
    if some:
        yield some


def _told_by(ner: Callable[[str], Iterable[tuple[int, int]]], text: str) -> Iterator[Span]:
    told, failure = [], ""
    try:
        told = [(int(start), int(end)) for start, end in ner(text)]
    except Exception as error:  # noqa: BLE001 - whatever it is, its message may hold the text
        failure = type(error).__name__
    if failure:  # raised out here, so that the first error is not carried along
        raise DataError(
            f"the model for names failed on a text of {len(text):,} characters ({failure})",
            where="redact.ner",
            fix="Call it on the text by itself to see why, or leave it out.",
        )
    for start, end in told:
        if not 0 <= start < end <= len(text):
            raise DataError(
                f"the model for names answered {start} to {end} for a text of {len(text):,} characters",
                where="redact.ner",
                fix="It has to give (start, end) in characters of the text it was given.",
            )
        yield Span(Kind.PERSON, start, end, "ner", 0.8)


def _joined(spans: list[Span], text: str) -> list[Span]:
    """Overlapping spans as one, of the kind with the highest standing; placeholders that stand there are cut out."""
    kept: list[Span] = []
    for span in sorted(spans, key=_place) if len(spans) > 1 else spans:
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
            continue
        last = kept[-1]
        first = min(last, span, key=lambda one: (_STANDING[one.kind], -one.sure))
        kept[-1] = first._replace(start=last.start, end=max(last.end, span.end))
    return list(_cut(kept, text)) if "[" in text and "_" in text else kept


def _place(span: Span) -> tuple[int, int]:
    return span.start, -span.end


def _cut(spans: list[Span], text: str) -> Iterator[Span]:
    """The spans without placeholders that stand in the text already; what is left of one has a letter or a digit."""
    protected = [match.span() for match in PLACEHOLDER.finditer(text)]
    passed = 0
    for span in spans:
        while passed < len(protected) and protected[passed][1] <= span.start:
            passed += 1
        pieces, begins = [], span.start
        for at in range(passed, len(protected)):
            if protected[at][0] >= span.end:
                break
            pieces.append((begins, protected[at][0]))
            begins = protected[at][1]
        for start, end in (*pieces, (begins, span.end)):
            if any(sign.isalnum() for sign in text[start:end]):
                yield span._replace(start=start, end=end)


def _repeated(texts: Sequence[str], found: list[list[Span]]) -> list[list[Span]]:
    """Add what was found in one place and stands elsewhere in the conversation without what gave it away there."""
    known, rest = dict[str, Span](), list[str]()
    for text, spans in zip(texts, found, strict=True):
        at = 0
        for span in spans:
            kind, start, end, _, _ = span
            for piece in _pieces(kind, text[start:end]):
                known.setdefault(piece, span)
            rest.append(text[at:start])
            at = end
        rest.append(text[at:] if at else text)
    left = "\n".join(rest)
    if len(known) <= _FEW and not any(piece in left for piece in known):  # as in most conversations
        return found
    known_again, more = _Known(known), list[list[Span]]()
    for text, spans in zip(texts, found, strict=True):
        repeats = list(known_again.elsewhere(text, spans))
        more.append(_joined([*spans, *repeats], text) if repeats else spans)
    return more


class _Known:
    """Found texts, and as what they were found, to be met again: looked up by their first word, so that many cost no more
    than few."""

    def __init__(self, spans: dict[str, Span]) -> None:
        self._spans = spans
        self._shapes = defaultdict[str, set[tuple[int, int]]](set)
        """First word → (where it stands in the found text, the found text's length)."""
        for piece in spans:
            if (word := _TOKEN.search(piece)) is not None:
                self._shapes[word[0]].add((word.start(), len(piece)))

    def elsewhere(self, text: str, spans: list[Span]) -> Iterator[Span]:
        """Where remembered texts stand on their own outside `spans`, which are in order."""
        starts = [span.start for span in spans]
        for word in _TOKEN.finditer(text) if self._spans else ():
            for offset, length in self._shapes.get(word[0], ()):
                start, end = word.start() - offset, word.start() - offset + length
                span = self._spans.get(text[start:end]) if start >= 0 else None
                if span is None or (end < len(text) and text[end - 1].isalnum() and text[end].isalnum()):
                    continue
                after = bisect_right(starts, start)
                free = after == 0 or spans[after - 1].end <= start
                if free and (after == len(spans) or starts[after] >= end):
                    yield span._replace(start=start, end=end, rule="repeated")


def _pieces(kind: Kind, value: str) -> Sequence[str]:
    """What to look for in the rest of a conversation: the value, and the words of a name that is surely one."""
    if kind is not Kind.PERSON:
        return (value,) if 2 * _SHORTEST_REPEATED <= len(value) <= _LONGEST_REPEATED else ()
    return _pieces_of_name(value) if len(value) <= _LONGEST_NAME else _name_pieces(value)


def _name_pieces(value: str) -> tuple[str, ...]:
    words = [word for word in name_words(value) if len(word) >= _SHORTEST_REPEATED and word[0].isupper()]
    return (value[:_LONGEST_REPEATED], *(word for word in words if not _ordinary(word)))


_pieces_of_name = lru_cache(maxsize=1 << 12)(_name_pieces)
"""The same, of names of common length: rows have many of them in common."""


def _ordinary(word: str) -> bool:
    return word.casefold() in names().words
