"""Mails that answer one another as conversations: {messages, subject, started, asked_by, answered_by, document}.

Which mails belong together is told by their Message-ID, In-Reply-To and References (RFC 5322, 3.6.4), their order by their
dates. A source's `roles` says by address or domain who is the assistant; everyone else is the user. A mail that stands in
the file twice is read once; one that no other answers is no conversation, and no row. A thread's number is its first mail's.
"""

import re
from collections import defaultdict
from collections.abc import Generator, Iterable, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime
from email.utils import parseaddr
from typing import Any

from tunewright.data.rows import BadFile, BadRow, Reject, Row, Table
from tunewright.data.source_spec import Side
from tunewright.data.sources._roles import Said, Sides, conversation

COLUMNS = ("messages", "subject", "started", "asked_by", "answered_by", "document")
MOST_CHARS = 2**28
"""The most characters of a file's mails, which are held together: threads run through all of it."""
_ID = re.compile(r"<([^<>\s]{1,1000})>")
_RAW = 2000


def thread_table(table: Table, roles: Mapping[str, Side]) -> Table:
    """The conversations that the mails of a file make; raises BadFile while reading."""
    return Table(COLUMNS, _rows(table, Sides({"*": "user", **roles})))


def _rows(table: Table, sides: Sides) -> Generator[Row | Reject, None, None]:
    mails: dict[str, Row] = {}
    size = 0
    with closing(table.rows):
        for row in table.rows:
            if isinstance(row, Reject):
                yield row
                continue
            size += len(row.values["text"])
            if size > MOST_CHARS:
                raise BadFile(
                    f"its mails have more than {MOST_CHARS:,} characters; threads are looked for among fewer.",
                    fix="Split it, by years say.",
                )
            own = next(iter(_ids(row, "message_id")), f"mail {row.number}")
            mails.setdefault(own, row)
    for thread in _threads(mails):
        try:
            yield Row(min(mail.number for mail in thread), _conversation(thread, sides))
        except BadRow as bad:
            yield Reject(min(mail.number for mail in thread), str(bad), thread[0].values["text"][:_RAW])


def _threads(mails: Mapping[str, Row]) -> Iterable[list[Row]]:
    """The mails of each thread of several, in their order."""
    above: dict[str, str] = {}

    def top(name: str) -> str:
        while name in above:
            above[name] = name = above.get(above[name], above[name])
        return name

    for own, mail in mails.items():
        for other in (*_ids(mail, "in_reply_to"), *_ids(mail, "references")):
            if top(other) != top(own):
                above[top(other)] = top(own)
    threads: dict[str, list[Row]] = defaultdict(list)
    for own, mail in mails.items():
        threads[top(own)].append(mail)
    return (_in_order(thread) for thread in threads.values() if len(thread) > 1)


def _ids(mail: Row, header: str) -> list[str]:
    return _ID.findall(mail.values[header] or "")


def _in_order(thread: list[Row]) -> list[Row]:
    """By their dates; as they stand in the file, where one has none."""
    dated = [(_moment(date), mail.number, mail) for mail in thread if (date := mail.values["date"])]
    return [mail for _, _, mail in sorted(dated)] if len(dated) == len(thread) else thread


def _moment(date: str) -> datetime:
    found = datetime.fromisoformat(date)
    return found if found.tzinfo else found.replace(tzinfo=UTC)


def _conversation(thread: Sequence[Row], sides: Sides) -> dict[str, Any]:
    first = thread[0].values
    talk = conversation(_said(mail.values, sides) for mail in thread)
    about = {"subject": first["subject"], "started": first["date"], "document": first["document"]}
    return {"messages": talk.pop("messages"), **about, **talk}


def _said(mail: dict[str, Any], sides: Sides) -> Said:
    address = parseaddr(mail["from"] or "")[1]
    domain = address.rpartition("@")[2]
    return Said(sides.of(address, f"@{domain}", domain), address or None, mail["text"].strip())
