"""Mails that answer one another as conversations: {messages, subject, started, asked_by, answered_by, document}.

Which mails belong together is told by their Message-ID, In-Reply-To and References (RFC 5322, 3.6.4). None stands before one
that it answers; besides, their dates say the order. A source's `roles` says by address or domain who is the assistant;
everyone else is the user. A mail that stands in the file twice is read once. A reject is a thread that lacks one of its
mails, as that was a reject: answers would be given to other questions. A mail that no other answers, and a thread without
the assistant, are passed over and counted; what only those wrote whom `roles` skips is not counted. A thread's number is its
first mail's.
"""

import re
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parseaddr
from heapq import heapify, heappop, heappush
from typing import Any

from tunewright.data.names import shown
from tunewright.data.rows import BadFile, BadRow, NoAnswer, Reject, Row, Table
from tunewright.data.source_spec import Side
from tunewright.data.sources._roles import Said, Sides, conversation

COLUMNS = ("messages", "subject", "started", "asked_by", "answered_by", "document")
MOST_CHARS = 2**28
"""The most characters of a file's mails, which are held together: threads run through all of it."""
EACH = 200
"""Characters that a mail, and each other one that it names, counts besides: what holds them takes memory, too."""
_ID = re.compile(r"<([^<>\s]{1,1000})>")
_RAW = 2000


def thread_table(table: Table, roles: Mapping[str, Side], lost: set[str]) -> Table:
    """The conversations that the mails of a file make; raises BadFile while reading.

    `lost` has the Message-IDs of mails that could not be read, once all of the table's rows were.
    """
    return Table(COLUMNS, _rows(table, Sides({"*": "user", **roles}), lost))


def _rows(table: Table, sides: Sides, lost: set[str]) -> Generator[Row | Reject, None, None]:
    mails: dict[str, Row] = {}
    unsure: set[str] = set()
    size = 0
    with closing(table.rows):
        for row in table.rows:
            if isinstance(row, Reject):
                yield row
                continue
            size += _size(row)
            if size > MOST_CHARS:
                raise BadFile(
                    f"its mails have more than {MOST_CHARS:,} characters; threads are looked for among fewer.",
                    fix="Split it, by years say.",
                )
            own = next(iter(_ids(row, "message_id")), f"mail {row.number}")
            first = mails.setdefault(own, row)
            if _differ(first, row, "from", "date"):
                unsure.add(own)
            if _differ(first, row, "text", "from", "date"):
                why = f"second mail with this id: mail {first.number} has it, too, and says something else"
                yield Reject(row.number, why, row.values["text"][:_RAW])
    missing = (lost - mails.keys()) | unsure
    for thread in _threads(mails):
        said = [_said(mail.values, sides) for mail in thread]
        if all(part.side == "skip" for part in said):
            continue
        number = min(mail.number for mail in thread)
        try:
            _check_whole(thread, missing)
            yield Row(number, _conversation(thread[0].values, said))
        except BadRow as bad:
            yield Reject(number, str(bad), thread[0].values["text"][:_RAW], isinstance(bad, NoAnswer))


def _size(mail: Row) -> int:
    """The characters of a mail, and what it takes besides."""
    chars = sum(len(value) for value in mail.values.values() if isinstance(value, str))
    return chars + EACH * (1 + len(_named(mail)))


def _differ(one: Row, other: Row, *names: str) -> bool:
    return any(one.values[name] != other.values[name] for name in names)


def _check_whole(thread: Sequence[Row], missing: set[str]) -> None:
    """Raises BadRow where a thread lacks a mail that it names, NoAnswer where it is one mail."""
    for mail in thread:
        for name in _named(mail):
            if name in missing:
                gap = shown(f"<{name}>")
                raise BadRow(f"thread with a gap: mail {mail.number} answers {gap}, which is a reject")
    if len(thread) == 1:
        raise NoAnswer("no answer: no mail of the file answers it, and it answers none")


def _threads(mails: Mapping[str, Row]) -> Iterable[list[Row]]:
    """The mails of each thread, in their order."""
    above: dict[str, str] = {}

    def top(name: str) -> str:
        while name in above:
            above[name] = name = above.get(above[name], above[name])
        return name

    for own, mail in mails.items():
        for other in _named(mail):
            if top(other) != top(own):
                above[top(other)] = top(own)
    threads: dict[str, dict[str, Row]] = defaultdict(dict)
    for own, mail in mails.items():
        threads[top(own)][own] = mail
    return (_in_order(thread) for thread in threads.values())


def _named(mail: Row) -> list[str]:
    """The Message-IDs of those that a mail answers."""
    return [*_ids(mail, "in_reply_to"), *_ids(mail, "references")]


def _ids(mail: Row, header: str) -> list[str]:
    return _ID.findall(mail.values[header] or "")


def _in_order(thread: Mapping[str, Row]) -> list[Row]:
    """Each behind those that it answers; besides, by their dates, or as they stand in the file where one has none.

    Clocks go wrong: a date alone may put an answer before its question. Mails that answer one another in a ring, which no
    clock explains, begin with the first of them.
    """
    dated = all(mail.values["date"] for mail in thread.values())
    keys = {own: (_moment(mail) if dated else 0.0, mail.number) for own, mail in thread.items()}
    before = {own: {name for name in _named(mail) if name in thread} - {own} for own, mail in thread.items()}
    after: dict[str, list[str]] = defaultdict(list)
    for own, names in before.items():
        for name in names:
            after[name].append(own)
    ready = [(keys[own], own) for own, names in before.items() if not names]
    heapify(ready)
    rest = iter(sorted(thread, key=keys.__getitem__))
    found: dict[str, Row] = {}
    while len(found) < len(thread):
        own = heappop(ready)[1] if ready else next(name for name in rest if name not in found)
        if own in found:
            continue
        found[own] = thread[own]
        for name in after[own]:
            before[name].discard(own)
            if not before[name]:
                heappush(ready, (keys[name], name))
    return list(found.values())


def _moment(mail: Row) -> float:
    """Seconds since 1970."""
    found = datetime.fromisoformat(mail.values["date"])
    return (
        (found if found.tzinfo else found.replace(tzinfo=UTC)) - datetime(1970, 1, 1, tzinfo=UTC)
    ).total_seconds()


def _conversation(first: dict[str, Any], said: Iterable[Said]) -> dict[str, Any]:
    talk = conversation(said)
    about = {"subject": first["subject"], "started": first["date"], "document": first["document"]}
    return {"messages": talk.pop("messages"), **about, **talk}


def _said(mail: dict[str, Any], sides: Sides) -> Said:
    address = parseaddr(mail["from"] or "")[1]
    domain = address.rpartition("@")[2]
    return Said(sides.of(address, f"@{domain}", domain), address or None, mail["text"].strip())
