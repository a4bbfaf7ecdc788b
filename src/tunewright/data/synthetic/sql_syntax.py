"""Whether SQL can be read by SQLite: planned against tables without rows, never carried out.

sql_fault("SELECT a FROM t", "CREATE TABLE t (b)")  →  "it is not SQL that SQLite takes: no such column: a"

Statements and tables may be a model's. Of the tables only definitions are carried out, in memory: rows are passed over,
and a table `AS SELECT` is refused. A query is planned (EXPLAIN) and no more. What SQLite would write out again and again
before it runs at all, a query named within queries, is counted first.
"""

import re
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import islice

_LONGEST = 20_000
"""Characters of a text: SQLite reads a statement anew with each of its semicolons."""
_NAMED, _WRITTEN_OUT = 200, 2000
"""The most named queries, and the most times that they are written out for one another."""
_UNKNOWN = ("no such table", "no such column", "no such function", "no such collation", "unknown database")
"""What SQLite says of names; without tables they say nothing of the form."""
_SILENT = (sqlite3.SQLITE_ATTACH, sqlite3.SQLITE_DETACH, sqlite3.SQLITE_PRAGMA)
_RUNS = (*_SILENT, sqlite3.SQLITE_SELECT)
_SKIPPED = re.compile(r"--[^\n]*|/\*.*?(?:\*/|\Z)|'(?:[^']|'')*'", re.DOTALL)
_TOKEN = re.compile(r'[^\W\d]\w*|"[^"]*"|`[^`]*`|\[[^\]]*\]|[();]')


def sql_fault(code: str, tables: str = "") -> str | None:
    """What SQLite says when it plans the statements, one after the other; None where it takes them all."""
    if wrong := _too_much(code, tables):
        return wrong
    with closing(sqlite3.connect(":memory:")) as database:
        database.execute("PRAGMA max_page_count = 2500")
        database.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, 1_000_000)
        database.set_progress_handler(lambda: 1, 10_000_000)  # stops what goes on and on
        database.set_authorizer(_defines)
        try:
            database.executescript(tables)
        except (sqlite3.Error, ValueError) as error:
            return f"the tables cannot be made: {error}"
        database.set_authorizer(_plans)
        statements = _statements(code)
        if not statements:
            return "there is no statement in it"
        for statement in statements:
            try:
                database.execute(f"EXPLAIN {statement}").close()
            except (sqlite3.Error, sqlite3.Warning, UnicodeEncodeError, MemoryError) as error:
                if tables.strip() or not str(error).startswith(_UNKNOWN):
                    return f"it is not SQL that SQLite takes: {error}"
    return None


def _too_much(code: str, tables: str) -> str | None:
    for what, text in (("it has", code), ("its tables have", tables)):
        if len(text) > _LONGEST:
            return f"{what} {len(text):,} characters, and {_LONGEST:,} are read at most"
    if _times(f"{tables};{code}") > _WRITTEN_OUT:
        return f"it has more than {_NAMED} named queries, or they use one another more than {_WRITTEN_OUT:,} times"
    return None


def _defines(action: int, name: str | None, *_: object) -> int:
    """For the tables: rows are passed over, and nothing is selected."""
    if action == sqlite3.SQLITE_INSERT and not (name or "").startswith("sqlite_"):
        return sqlite3.SQLITE_IGNORE
    return sqlite3.SQLITE_DENY if action in _RUNS else sqlite3.SQLITE_OK


def _plans(action: int, *_: object) -> int:
    return sqlite3.SQLITE_DENY if action in _SILENT else sqlite3.SQLITE_OK


def _times(text: str) -> int:
    """How often named queries (`name AS (…)`, views) would be written out, each within those that use it."""
    tokens = [one.strip('"`[]').lower() for one in _TOKEN.findall(_SKIPPED.sub(" ", text))]
    named = list(islice(_named(tokens), _NAMED + 1))
    if len(named) > _NAMED:
        return _WRITTEN_OUT + 1
    costs = dict.fromkeys((name for name, _, _ in named), 1)
    uses = [(name, Counter(word for word in tokens[a:b] if word in costs)) for name, a, b in named]
    for _ in named:
        known = dict(costs)
        for name, used in uses:
            cost = 1 + sum(costs[one] * times for one, times in used.items() if one != name)
            costs[name] = min(max(costs[name], cost), _WRITTEN_OUT + 1)
        if costs == known:
            break
    return max(costs.values(), default=0)


def _named(tokens: list[str]) -> Iterator[tuple[str, int, int]]:
    """Each named query, with where its text begins and ends among the tokens."""
    for at, token in enumerate(tokens):
        if token != "as":
            continue
        body = at + 1
        while body < len(tokens) and tokens[body] in ("not", "materialized"):
            body += 1
        view = "view" in tokens[max(0, at - 8) : at]
        if body < len(tokens) and (tokens[body] == "(" or view):
            yield _name_before(tokens, at), body, _end(tokens, body)


def _name_before(tokens: list[str], at: int) -> str:
    """The name before `AS`, its columns in brackets aside."""
    at -= 1
    if at >= 0 and tokens[at] == ")":
        while at > 0 and tokens[at] != "(":
            at -= 1
        at -= 1
    return tokens[at] if at >= 0 else ""


def _end(tokens: list[str], begin: int) -> int:
    """Where a query ends: at the bracket that closes it, or its semicolon."""
    depth = 0
    for at in range(begin, len(tokens)):
        depth += {"(": 1, ")": -1}.get(tokens[at], 0)
        if tokens[at] == ";" or (tokens[begin] == "(" and depth == 0):
            return at
    return len(tokens)


def _statements(code: str) -> list[str]:
    """The statements, cut where SQLite says that one is whole."""
    found, part = list[str](), ""
    for piece in code.split(";"):
        part += piece + ";"
        if sqlite3.complete_statement(part):
            found.append(part)
            part = ""
    found.append(part.removesuffix(";"))
    return [statement for statement in found if _says_something(statement)]


def _says_something(statement: str) -> bool:
    lines = (line.partition("--")[0] for line in statement.splitlines())
    return bool(" ".join(lines).strip("; \t\n"))
