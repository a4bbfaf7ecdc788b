"""Mail (mbox, or one mail as .eml): one row a mail, {text, subject, from, to, date, message_id, in_reply_to, document}.

The text is the body, what it quotes of other mails included: the plain part, or else the HTML part as Markdown. Attachments
are left out. The date is an ISO text, null where it cannot be read. A row's number counts the mails. Where the source has
`roles`, its rows are conversations (_threads.py).
"""

import binascii
import re
from collections.abc import Generator, Iterator
from datetime import datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header, make_header
from email.message import Message
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from tunewright.data.rows import BadFile, Reject, Row, Table
from tunewright.data.sources._documents import clean, document_table
from tunewright.data.sources._plain import page_text

HEADERS = ("subject", "from", "to", "date", "message_id", "in_reply_to")
"""The headers that a row holds."""
THREADED = (*HEADERS, "references")
"""Those, and what else tells which mail answers which."""
MOST_BYTES = 32 * 2**20
"""The most bytes of a mail, attachments and all; the rest of a longer one is passed over, and the mail is a reject."""
PARTS = 1_000
"""The most parts of a mail that are looked at for its text."""
BOUNDARIES = 20_000
"""The most lines of a mail that begin as its parts do: each part takes memory of its own."""
HEAD_BYTES = 2**20
"""The most bytes of a mail's headers."""
_HEADER_CHARS = 10_000
"""The most characters of a header that are read."""
_LINE = 2**16
_QUOTED_FROM = re.compile(r"^>(>*From )", re.MULTILINE)
_HEADER = re.compile(rb"[!-9;-~]+:|From ")
_OWN = re.compile(rb"^message-id:\s{0,20}<([^<>\s]{1,1000})>", re.IGNORECASE | re.MULTILINE)
_CONTENT = re.compile(rb"^content-[a-z-]{1,40}:[^\n]*(?:\n[ \t][^\n]*)*", re.IGNORECASE | re.MULTILINE)
_RAW = 2000


def read(
    path: Path, encoding: str, headers: tuple[str, ...] = HEADERS, lost: set[str] | None = None
) -> Table:
    """Open a file of mails; `encoding` is for parts that name none, `headers` are those that rows hold.

    Threads want `lost`: the Message-IDs of rejects are put into it as the rows are read. Raises BadFile where no mail begins
    the file, or where it is one mail and threads are looked for.
    """
    with path.open("rb") as stream:
        start = stream.read(_LINE).removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n")
    if start and not _HEADER.match(start):
        raise BadFile(
            "the file does not begin with a mail's headers.", fix="Look whether it is an mbox file."
        )
    many = start.startswith(b"From ")
    if start and lost is not None and not many:
        raise BadFile(
            "it is one mail, which no other answers.", fix="Put the mails into one mbox, or leave out roles:."
        )
    rows = _rows(path, encoding, many, headers, set() if lost is None else lost)
    return document_table(path, headers, rows)


def _rows(
    path: Path, encoding: str, many: bool, headers: tuple[str, ...], lost: set[str]
) -> Generator[Row | Reject, None, None]:
    def reject(why: str) -> Reject:
        head = re.split(rb"\r?\n\r?\n", data[:HEAD_BYTES], maxsplit=1)[0]
        lost.update(found.decode("utf-8", "replace") for found in _OWN.findall(head)[:1])
        return Reject(number, why, data[:_RAW].decode("utf-8", "replace"))

    for number, data in enumerate(_mails(path, many), 1):
        if why := _too_much(data):
            yield reject(why)
            continue
        try:
            mail = message_from_bytes(data)
            text = _body(mail, encoding)
        except (RecursionError, MessageError, ValueError, TypeError, AttributeError, AssertionError) as error:
            # the standard library trips in these ways over mails that keep to no standard
            why = f"broken mail: {' '.join(str(error).split())[:100] or type(error).__name__}"
            yield reject(why)
            continue
        if many:
            text = _QUOTED_FROM.sub(r"\1", text)
        if text.strip():
            yield Row(number, {"text": text.strip("\n"), **_headers(mail, headers)})
        else:
            yield reject("empty text: the mail has no text")


def _too_much(data: bytes) -> str | None:
    """Why a mail is not even looked at, as what would take too much memory or time."""
    if len(data) > MOST_BYTES:
        return f"too long: the mail has more than {MOST_BYTES:,} bytes"
    head = data[:HEAD_BYTES]
    if len(data) > HEAD_BYTES and b"\n\n" not in head and b"\r\n\r\n" not in head:
        return f"too long: the mail's headers have more than {HEAD_BYTES:,} bytes"
    if data.count(b"\n--") > BOUNDARIES:
        return f"too many parts: more than {BOUNDARIES:,} lines of the mail may begin one"
    if any(found.end() - found.start() > _HEADER_CHARS for found in _CONTENT.finditer(data)):
        return f"too long: a header that tells a part's kind has more than {_HEADER_CHARS:,} characters"
    return None


def _mails(path: Path, many: bool) -> Iterator[bytes]:
    """The bytes of each mail, one byte more than MOST_BYTES at most; the lines between them (`From …`) left out."""
    mail = bytearray()
    blank = fresh = True
    begun = not many
    with path.open("rb") as stream:
        while line := stream.readline(_LINE):
            if many and fresh and blank and line.startswith(b"From "):
                if begun:
                    yield bytes(mail)
                begun = True
                mail.clear()
            elif begun:
                mail += line[: MOST_BYTES + 1 - len(mail)]
            fresh = line.endswith(b"\n")
            blank = fresh and not line.strip()
    if begun:
        yield bytes(mail)


def _body(mail: Message, encoding: str) -> str:
    """The first plain part that is no attachment, or else the first HTML part as Markdown; empty where there is none."""
    html: Message | None = None
    for at, part in enumerate(mail.walk()):
        if at >= PARTS:
            break
        if part.get_content_disposition() == "attachment":
            continue
        kind = part.get_content_type()
        if kind == "text/plain":
            return _decoded(part, encoding)
        if kind == "text/html" and html is None:
            html = part
    return page_text(_decoded(html, encoding)) if html is not None else ""


def _decoded(part: Message, encoding: str) -> str:
    """The text of a part, in the encoding that it names, or else in the usual ones."""
    payload = part.get_payload(decode=True)
    data = payload if isinstance(payload, bytes) else b""
    for name in (part.get_content_charset(), encoding, "utf-8", "cp1252"):
        try:
            if name is not None:
                return _line_feeds(data.decode(name))
        except (LookupError, ValueError):
            continue
    return _line_feeds(data.decode("latin-1"))


def _line_feeds(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _headers(mail: Message, names: tuple[str, ...]) -> dict[str, Any]:
    values = {name: _header(mail, name.replace("_", "-")) for name in names}
    return {**values, "date": _date(values["date"])}


def _header(mail: Message, name: str) -> str | None:
    """A header's text with its encoded words read; None where the mail has none."""
    raw = mail.get(name)
    if raw is None:
        return None
    raw = str(raw)[:_HEADER_CHARS]
    try:
        return clean(str(make_header(decode_header(raw))))
    except (LookupError, ValueError, MessageError, binascii.Error):
        return clean(raw)


def _date(value: str | None) -> str | None:
    try:
        found: datetime = parsedate_to_datetime(value or "")
        return found.isoformat()
    except (ValueError, TypeError, OverflowError, IndexError):
        return None
