"""The catalogue: a SQLite file that remembers runs and aliases. Artifacts describe themselves on disk."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from tunewright.core.errors import UserError

_TABLES = """
create table if not exists runs (
    id integer primary key, step text not null, artifact text not null, status text not null,
    started real not null, ended real, error text
);
create table if not exists alias_moves (
    id integer primary key, alias text not null, move text not null, release text not null, at real not null
);
"""


class RunRow(NamedTuple):
    """One step executed. `status` is running, done, failed or interrupted; times are Unix seconds."""

    id: int
    step: str
    artifact: str
    status: str
    started: float
    ended: float | None
    error: str | None


class AliasMove(NamedTuple):
    """An alias set (`promote`) or set back (`rollback`): `release` is what it names after the move."""

    alias: str
    move: str
    release: str
    at: float


class Catalogue:
    """Runs and aliases of one project."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def start_run(self, step: str, artifact: str) -> int:
        """Record that a step starts; returns the run's number. Runs left `running` by a kill become `interrupted`."""
        with self._connection() as db:
            db.execute(
                "update runs set status = 'interrupted' where status = 'running' and artifact = ?",
                (artifact,),
            )
            cursor = db.execute(
                "insert into runs (step, artifact, status, started) values (?, ?, 'running', ?)",
                (step, artifact, time.time()),
            )
            return int(cursor.lastrowid or 0)

    def end_run(self, run: int, status: str, error: str | None = None) -> None:
        """Record how a run ended."""
        with self._connection() as db:
            db.execute(
                "update runs set status = ?, ended = ?, error = ? where id = ?",
                (status, time.time(), error, run),
            )

    def close_runs(self, artifact: str) -> None:
        """Record the runs of a published artifact that still count as `running` as done."""
        if any(run.status == "running" for run in self.runs(artifact)):
            with self._connection() as db:
                db.execute(
                    "update runs set status = 'done', ended = ? where status = 'running' and artifact = ?",
                    (time.time(), artifact),
                )

    def runs(self, artifact: str | None = None) -> list[RunRow]:
        """Every run, or those that made one artifact, oldest first."""
        if not self._path.exists():
            return []
        with self._connection() as db:
            rows = db.execute(
                "select id, step, artifact, status, started, ended, error from runs"
                " where ?1 is null or artifact = ?1 order by id",
                (artifact,),
            )
            return [RunRow(*row) for row in rows]

    def move_alias(self, alias: str, move: str, release: str) -> None:
        """Let an alias name a release."""
        with self._connection() as db:
            db.execute(
                "insert into alias_moves (alias, move, release, at) values (?, ?, ?, ?)",
                (alias, move, release, time.time()),
            )

    def alias_moves(self, alias: str) -> list[AliasMove]:
        """The moves of an alias, oldest first."""
        if not self._path.exists():
            return []
        with self._connection() as db:
            rows = db.execute(
                "select alias, move, release, at from alias_moves where alias = ? order by id", (alias,)
            )
            return [AliasMove(*row) for row in rows]

    def aliases(self) -> list[str]:
        """Every alias that was ever set."""
        if not self._path.exists():
            return []
        with self._connection() as db:
            return [row[0] for row in db.execute("select distinct alias from alias_moves order by alias")]

    @contextmanager
    def _connection(self) -> Iterator[sqlite3.Connection]:
        self._path.parent.mkdir(parents=True, exist_ok=True)
        with self._said_plainly():
            db = sqlite3.connect(self._path, timeout=30)
            try:
                with db:
                    db.executescript(_TABLES)
                    yield db
            finally:
                db.close()

    @contextmanager
    def _said_plainly(self) -> Iterator[None]:
        """SQLite's errors as ours."""
        try:
            yield
        except sqlite3.OperationalError as error:
            fix = "Make room, or make the folder writable, and run again."
            raise UserError(
                f"the catalogue cannot be used: {error}", where=str(self._path), fix=fix
            ) from None
        except sqlite3.DatabaseError as error:
            fix = "Move the file away and run again: artifacts stand, the record of runs and aliases is lost."
            raise UserError(f"the catalogue is damaged: {error}", where=str(self._path), fix=fix) from None
