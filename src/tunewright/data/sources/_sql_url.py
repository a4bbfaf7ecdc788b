"""A database's URL: where it stands, what it names, and that no message holds what it says.

No message holds more of a URL than the database's kind, host and name; of one in an environment variable, not even that.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import quote, quote_plus

from tunewright.data.names import shown
from tunewright.data.rows import BadFile
from tunewright.data.source_spec import SqlSpec
from tunewright.data.sources._sql_limits import CELL

_TOO_BIG = "string or blob too big"
"""What SQLite says of a value beyond its limit."""


def database_name(spec: SqlSpec) -> str:
    """The name that the rows' place goes by: without user, password and options."""
    if spec.url_env:
        return f"${spec.url_env}"
    kind, _, rest = spec.url.partition("://")
    rest = rest.partition("?")[0].rpartition("@")[2]
    return shown(rest.lstrip("/") if kind.startswith("sqlite") else f"{kind.partition('+')[0]}://{rest}")


def database_url(spec: SqlSpec) -> Any:
    """The URL, as SQLAlchemy has it. Raises BadFile."""
    import sqlalchemy

    text = spec.url
    if spec.url_env:
        found = os.environ.get(spec.url_env, "").strip()
        if not found:
            raise BadFile(
                f"the environment variable {shown(spec.url_env)}, which is to hold the database's URL, is not set.",
                fix=f"Set it: export {spec.url_env}=…",
            )
        text = found
    try:
        return sqlalchemy.make_url(text.strip())
    except (sqlalchemy.exc.ArgumentError, ValueError):
        raise BadFile(
            "the database's URL cannot be read.",
            fix="Write it as sqlite:///shop.db or postgresql://host/shop.",
        ) from None


@contextmanager
def told(spec: SqlSpec, what: Callable[[], str]) -> Iterator[None]:
    """What the database says is wrong, as BadFile, without the URL's secrets."""
    import sqlalchemy

    try:
        yield
    except (
        sqlalchemy.exc.SQLAlchemyError,
        sqlite3.Error,
        sqlite3.Warning,
        ValueError,
        OverflowError,
        RecursionError,
    ) as error:
        said = scrubbed(getattr(error, "orig", None) or error, spec)
        said = f"a value has more than {CELL:,} bytes" if said == _TOO_BIG else said
        said = "a JSON value nests too deep" if isinstance(error, RecursionError) else said
        raise BadFile(f"{what()} ({said}).") from None


def scrubbed(error: BaseException, spec: SqlSpec) -> str:
    """A message without anything that stands in the URL beside its kind: cut only then, or a part would stay."""
    try:
        url = database_url(spec)
    except BadFile:
        return "the URL cannot be read"
    said = str(error)
    for secret in sorted(filter(None, _secrets(url, whole=bool(spec.url_env))), key=len, reverse=True):
        for form in (secret, quote(secret, safe=""), quote_plus(secret), repr(secret)[1:-1]):
            said = said.replace(form, "***")
    said = " ".join((said.strip().splitlines() or [""])[0][:200].split()).rstrip(".").removesuffix(" ()")
    said = said or type(error).__name__
    return said if said.isprintable() else "it gives no reason that can be printed"


def _secrets(url: Any, whole: bool) -> set[str | None]:
    """What of a URL no message may hold; of the `whole` URL, its user and place, too."""
    found = {url.password}
    for value in url.query.values():  # an option that is given twice has several
        found |= {value} if isinstance(value, str) else set(value)
    if whole:
        found |= {url.username, url.host, url.database, None if url.port is None else str(url.port)}
    return found
