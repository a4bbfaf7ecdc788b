"""Settings of sources that need more than a path: a database's query, a data set in the hub's layout, recorded speech."""

import re
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from tunewright.core.spec import Spec

HUB = "hub:"
"""What the path of a data set on the hub begins with."""
Side = Literal["assistant", "user", "skip"]
"""What somebody is in a conversation; what is skipped is no part of it."""
_PASSWORD = re.compile(
    r"[\w+.-]*://[^:/]*:[^@]*@|[?&](?:[\w.-]*(?:password|passwd|pass|pwd|passcode|token|secret|key)|odbc_connect|credentials_(?:base64|info))=",
    re.IGNORECASE,
)
_COMMIT = re.compile(r"[0-9a-f]{40}")


class SqlSpec(Spec):
    """A query to a database, which is read and never written. Its rows are those of the source."""

    model_config = ConfigDict(hide_input_in_errors=True)

    query: str
    """One SELECT, with an ORDER BY, or else its rows come in any order. Its columns are the source's columns."""
    url: str = ""
    """The database's URL as SQLAlchemy writes it, without a password: sqlite:///shop.db (relative to the project's folder),
    postgresql+psycopg://reader@host/shop."""
    url_env: str = ""
    """The environment variable that holds the URL, where it has a password in it. What it says is stored nowhere."""
    seconds: int = Field(600, ge=1, le=86_400)
    """Seconds in which the database has to answer the query, and to give the next rows each time."""

    @model_validator(mode="after")
    def _one_url(self) -> Self:
        if bool(self.url.strip()) == bool(self.url_env.strip()):
            raise ValueError("a query has one of url and url_env, to say which database it is for")
        if _PASSWORD.search(self.url):
            raise ValueError(
                "the url holds a password, and what stands in the project file is copied into artifacts. Put the whole"
                " URL into an environment variable, and name that: url_env: SHOP_URL"
            )
        return self


class HubSpec(Spec):
    """Which rows of a data set in the hub's layout: of `hub:owner/name`, or of a folder that is laid out as one."""

    config: str = ""
    """The configuration (subset); without a name the only one, or the default."""
    split: str = "train"
    """The split whose rows are read."""
    revision: str = "main"
    """A branch, a tag, or a commit's 40 digits, which pins the data set. refs/convert/parquet has the Parquet files that the
    hub makes of every data set."""

    @property
    def pinned(self) -> bool:
        """Whether the revision is a commit, which never changes."""
        return _COMMIT.fullmatch(self.revision) is not None


class SpeechSpec(Spec):
    """How recorded speech becomes text."""

    model: str
    """A Whisper model in CTranslate2's format: a folder, a hub id (Systran/faster-whisper-small), or a size (tiny, base,
    small, medium, large-v3, turbo)."""
    language: str | None = Field(None, pattern=r"^[a-z]{2,3}$")
    """The code of the language that is spoken (en, de), for models that know several; without one the model guesses."""
    skip_silence: bool = True
    """Look for stretches where somebody speaks first, and pass the others over: models make words out of noise."""
