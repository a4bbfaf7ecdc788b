"""Whether a query only reads, as far as its words tell: the database itself is held to reading where it can be."""

import re

from tunewright.data.rows import BadFile

_READS = re.compile(r"(?:select|with|values|table|from)\b|\(", re.IGNORECASE)
_ASIDE = re.compile(
    r"""'[^']*'|"[^"]*"|`[^`]*`|\$(\w*)\$.*?\$\1\$|--[^\n]*|/\*.*?\*/""",
    re.DOTALL,
)
"""Texts, quoted names and comments, as most databases read them."""
_DOUBTFUL = re.compile(r"[\\#$`\[]|/\*!|--(?!\s|$)|/\*(?:(?!\*/).)*/\*", re.DOTALL)
"""Signs that end a text or a comment in one database and not in another: all of a query with one is taken for code."""
_WRITES = re.compile(r"\binto\b", re.IGNORECASE)
"""SELECT … INTO makes a table or a file, some databases in a transaction that only reads, too."""
_CHANGES = re.compile(
    r"\b(?:insert|update|delete|merge|drop|alter|create|truncate|grant|revoke|exec|execute|call|commit)\b",
    re.IGNORECASE,
)
"""Words that no query has to databases that cannot be held to reading: some take statements without a sign between them."""


def check_query(query: str) -> None:
    """Raises BadFile where a query is not one SELECT."""
    if not _READS.match(_without_texts(query)):
        raise BadFile("the query is no SELECT.", fix="Sources are read, and never written.")
    code = _code(query)
    if ";" in code:
        doubt = _DOUBTFUL.search(query)
        said = f"may be more than one statement: it has a semicolon and {doubt[0][:2]}" if doubt else ""
        raise BadFile(f"the query {said or 'is more than one statement'}.", fix="Write one SELECT.")
    if _WRITES.search(code):
        raise BadFile("the query has an INTO.", fix="Sources are read, and never written.")


def statement(query: str) -> str:
    """The query without what may stand at its end."""
    return query.strip().rstrip("; \t\r\n")


def word_that_writes(query: str) -> str | None:
    """A word of the query that changes a database, outside of texts and comments."""
    found = _CHANGES.search(_code(query))
    return found[0] if found else None


def _without_texts(query: str) -> str:
    return statement(_ASIDE.sub(lambda found: " " if found[0][0] in "-/" else "''", query))


def _code(query: str) -> str:
    """What of a query may be code: in doubt, all of it."""
    return statement(query) if _DOUBTFUL.search(query) else _without_texts(query)
