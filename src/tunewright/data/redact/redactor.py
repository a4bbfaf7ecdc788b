"""Replace personal data and secrets by placeholders that stay the same through a conversation.

    redactor = Redactor()
    done = redactor.redact(["I am Ann Lee, ann@example.org", "Thanks, Ann. Is ann@example.org right?"])
    done.texts   # ("I am [PERSON_1], [EMAIL_1]", "Thanks, [PERSON_1]. Is [EMAIL_1] right?")
    done.report  # counts, masked samples, and what was not looked for

What is found is never logged, printed, kept or put into an exception.
"""

import re
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property

from tunewright.core.errors import DataError
from tunewright.data.redact.addresses import find_addresses
from tunewright.data.redact.contacts import find_emails, find_ips, find_phones, find_urls
from tunewright.data.redact.ids import find_ids
from tunewright.data.redact.names import names
from tunewright.data.redact.numbers import find_cards, find_ibans
from tunewright.data.redact.people import find_people
from tunewright.data.redact.report import Report, masked
from tunewright.data.redact.secrets import find_secrets
from tunewright.data.redact.span import Finder, Kind, Span

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
NEEDS_DIGITS = frozenset((Kind.IBAN, Kind.CARD, Kind.NATIONAL_ID, Kind.PHONE, Kind.ADDRESS))
_STANDING = {kind: place for place, kind in enumerate(FINDERS)}
_PLACEHOLDER = re.compile(r"\[(?:" + "|".join(kind.name for kind in Kind) + r")_\d{1,9}\]")
_TOKEN = re.compile(r"\w+")
_DIGIT = re.compile(r"\d")
_SHORTEST_REPEATED, _LONGEST_REPEATED = 3, 300
"""Characters of what is looked for again in the rest of a conversation."""
_FEW = 24
"""So many found texts are looked for one by one."""
_SHORT, _REMEMBERED = 200, 20_000
_FEW_DIGITS = 7
"""So few digits by themselves are nobody's: a phone number has eight."""


_SAME_DIGITS = 9
"""Phone numbers that end in the same digits are one: +44 20 7946 0123 and 020 7946 0123."""


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
        self._finders = tuple(FINDERS[kind] for kind in self._kinds)
        self._without_digits = tuple(FINDERS[kind] for kind in self._kinds if kind not in NEEDS_DIGITS)
        self._ner = ner if Kind.PERSON in wanted else None
        self._sure = sure
        self._clean: set[str] = set()
        """Short texts in which nothing was found: names of fields, answers that many rows give."""

    def redact(self, texts: Sequence[str]) -> Redacted:
        """Redact the turns of one conversation: equal things get equal placeholders, a name's parts that of the name.

        Raises DataError where the `ner` callable fails or answers with places outside the text.
        """
        found = self.find_all(texts)
        return Redacted(replaced(texts, found), tuple(map(tuple, found)), self._report(texts, found))

    def find_all(self, texts: Sequence[str]) -> list[list[Span]]:
        """What stands in each turn of one conversation, as `find` has it, and again where only another turn gives it away.

        Raises DataError as `redact` does.
        """
        found = [self.find(text) for text in texts]
        return _repeated(texts, found) if any(found) else found

    def find(self, text: str) -> list[Span]:
        """What stands in one text, in order, without overlaps. Raises DataError as `redact` does."""
        if not text or text in self._clean:
            return []
        if self._ner is None and len(text) <= _SHORT:
            return self._found_in_short(text)
        return self._found(text)

    def _found_in_short(self, text: str) -> list[Span]:
        if len(text) <= _FEW_DIGITS and text.isdigit():
            return []
        found = self._found(text)
        if not found and len(self._clean) < _REMEMBERED:
            self._clean.add(text)
        return found

    def _found(self, text: str) -> list[Span]:
        finders = self._finders if _DIGIT.search(text) else self._without_digits
        spans = [span for find in finders for span in find(text)]
        if self._ner is not None:
            spans += _told_by(self._ner, text)
        if not spans:
            return spans
        kept = [span for span in spans if span.sure >= self._sure]
        return _joined(kept, text) if kept else kept

    def _report(self, texts: Sequence[str], found: list[list[Span]]) -> Report:
        report = Report(kinds=self._kinds, ner=self._ner is not None)
        for text, spans in zip(texts, found, strict=True):
            report.texts += 1
            report.characters += len(text)
            for span in spans:
                report.add(span, masked(span.kind, text[span.start : span.end]))
        return report


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


def replaced(texts: Sequence[str], found: Sequence[Sequence[Span]]) -> tuple[str, ...]:
    """The turns of one conversation with placeholders for what `find_all` found in them."""
    if not any(found):
        return tuple(texts)
    keys = [[_key(span, text) for span in spans] for text, spans in zip(texts, found, strict=True)]
    naming = _Naming(texts)
    for spans, same in zip(found, keys, strict=True):
        naming.meet(spans, same)
    return tuple(
        _replaced(text, spans, same, naming) if spans else text
        for text, spans, same in zip(texts, found, keys, strict=True)
    )


def _joined(spans: list[Span], text: str) -> list[Span]:
    """Overlapping spans as one, of the kind with the highest standing; placeholders that stand there are cut out."""
    kept: list[Span] = []
    for span in sorted(spans, key=lambda span: (span.start, -span.end)):
        if not kept or span.start >= kept[-1].end:
            kept.append(span)
            continue
        last = kept[-1]
        first = min(last, span, key=lambda one: (_STANDING[one.kind], -one.sure))
        kept[-1] = first._replace(start=last.start, end=max(last.end, span.end))
    return list(_cut(kept, text)) if "[" in text and "_" in text else kept


def _cut(spans: list[Span], text: str) -> Iterator[Span]:
    """The spans without placeholders that stand in the text already; what is left of one has a letter or a digit."""
    protected = [match.span() for match in _PLACEHOLDER.finditer(text)]
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
    known = _Known()
    for text, spans in zip(texts, found, strict=True):
        for span in spans:
            for piece in _pieces(span, text[span.start : span.end]):
                known.add(piece, span)
    others = "\n".join([text for text, spans in zip(texts, found, strict=True) if not spans])
    in_others = known.may_stand(others, [])
    more = []
    for text, spans in zip(texts, found, strict=True):
        likely = (spans or in_others) and known.may_stand(text, spans)
        repeats = list(known.elsewhere(text, spans)) if likely else []
        more.append(_joined([*spans, *repeats], text) if repeats else spans)
    return more


class _Known:
    """Found texts, to be met again: looked up by their first word, so that many cost no more than few."""

    def __init__(self) -> None:
        self._spans: dict[str, Span] = {}

    @cached_property
    def _shapes(self) -> dict[str, set[tuple[int, int]]]:
        """First word → (where it stands in the found text, the found text's length). Made when all texts are known."""
        shapes = defaultdict[str, set[tuple[int, int]]](set)
        for piece in self._spans:
            if (word := _TOKEN.search(piece)) is not None:
                shapes[word[0]].add((word.start(), len(piece)))
        return shapes

    def add(self, piece: str, span: Span) -> None:
        """Remember a text, and as what it was found."""
        self._spans.setdefault(piece, span)

    def may_stand(self, text: str, spans: list[Span]) -> bool:
        """Whether one of the remembered texts stands outside `spans`; yes where they are many."""
        if len(self._spans) > _FEW:
            return True
        for piece in self._spans:
            at = text.find(piece)
            while at >= 0:
                end = at + len(piece)
                if not any(span.start < end and at < span.end for span in spans):
                    return True
                at = text.find(piece, at + 1)
        return False

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


def _pieces(span: Span, value: str) -> list[str]:
    """What to look for in the rest of a conversation: the value, and the words of a name that is surely one."""
    if span.kind is not Kind.PERSON:
        return [value] if 2 * _SHORTEST_REPEATED <= len(value) <= _LONGEST_REPEATED else []
    words = [word for word in _name_words(value) if len(word) >= _SHORTEST_REPEATED and word[0].isupper()]
    return [value[:_LONGEST_REPEATED], *(word for word in words if not _ordinary(word))]


def _ordinary(word: str) -> bool:
    return word.casefold() in names().words


def _name_words(value: str) -> list[str]:
    return re.findall(r"[^\W\d_][\w'’-]*", value)


class _Naming:
    """Which placeholder a found thing gets."""

    def __init__(self, texts: Sequence[str]) -> None:
        self._taken = {match[0] for text in texts if "[" in text for match in _PLACEHOLDER.finditer(text)}
        self._next: dict[Kind, int] = defaultdict(lambda: 1)
        self._named: dict[tuple[Kind, str], str] = {}
        self._full: dict[str, set[str]] = defaultdict(set)
        """A word of a name → the full names met that have it."""

    def meet(self, spans: Sequence[Span], keys: Sequence[str]) -> None:
        """Learn the full names of a conversation first: "Ann" may stand before "Ann Lee"."""
        for span, key in zip(spans, keys, strict=True):
            if span.kind is Kind.PERSON and len(words := key.split()) > 1:
                for word in words:
                    self._full[word].add(key)

    def placeholder(self, span: Span, key: str) -> str:
        """`[EMAIL_1]` and so on, numbered by first occurrence; numbers that stand in the texts already are left out."""
        if span.kind is Kind.PERSON and " " not in key and len(full := self._full.get(key, set())) == 1:
            key = next(iter(full))
        known = self._named.get((span.kind, key))
        if known is not None:
            return known
        while True:
            name = f"[{span.kind.name}_{self._next[span.kind]}]"
            self._next[span.kind] += 1
            if name not in self._taken:
                break
        self._named[span.kind, key] = name
        return name


def _key(span: Span, text: str) -> str:
    """What makes two finds the same: letter case, blanks, a number's punctuation and a phone's country code aside."""
    value = text[span.start : span.end].casefold()
    if span.kind is Kind.PHONE:
        return re.sub(r"\D", "", value)[-_SAME_DIGITS:]
    if span.kind in (Kind.CARD, Kind.IBAN, Kind.NATIONAL_ID):
        return re.sub(r"\W", "", value)
    if span.kind is Kind.PERSON:
        return " ".join(word for word in _name_words(value) if len(word) > 1) or value
    return text[span.start : span.end] if span.kind is Kind.SECRET else " ".join(value.split())


def _replaced(text: str, spans: Sequence[Span], keys: Sequence[str], naming: _Naming) -> str:
    parts, at = [], 0
    for span, key in zip(spans, keys, strict=True):
        parts += [text[at : span.start], naming.placeholder(span, key)]
        at = span.end
    return "".join([*parts, text[at:]])
