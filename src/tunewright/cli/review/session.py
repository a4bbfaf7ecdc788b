"""A review in the terminal: a row, a key, the next row."""

import os
import shlex
import subprocess
import sys
from collections import Counter
from pathlib import Path

import click

from tunewright.cli import render
from tunewright.cli.review.command import NOT_YET
from tunewright.cli.review.keys import Keyboard, brief, keyboard, typed
from tunewright.cli.review.parts import shown, source, whole
from tunewright.core.files import write_atomic
from tunewright.data.review.form import FormError, marked
from tunewright.project.reviewing import ReviewItem, ReviewQueue

KEYS = {
    "a": "accept",
    "r": "reject",
    "e": "edit",
    "s": "skip",
    "u": "undo",
    "v": "view all",
    "?": "help",
    "q": "quit",
}
_HELP = """\
a  accept: the row is right as it is
r  reject: the row goes; a reason is asked for, a number takes one given before
e  edit: opens the row in your editor ($VISUAL, $EDITOR); what you save takes its place
s  skip: leave it for another time
u  undo: take the last decision back, or return to a row skipped
v  view: all of a row whose texts are cut here
q  quit: what was decided is kept (Ctrl-C does the same)"""
_DONE = {"accept": "accepted", "reject": "rejected", "edit": "edited"}


class Session:
    """Leads through a queue."""

    def __init__(self, queue: ReviewQueue) -> None:
        self._queue = queue
        self._counts = Counter[str]()

    def run(self) -> int:
        """Until the end of the queue, or until it is left; the exit code."""
        if not len(self._queue):
            chosen = self._queue.chosen
            reviewed = f"{chosen.reviewed:,} of {chosen.rows:,} rows are reviewed"
            left = chosen.rows - chosen.reviewed
            render.say(
                f"No row that is asked for is left to review: {reviewed}."
                if left
                else f"No row is left to review: {reviewed}."
            )
            return 0
        code = 0
        with keyboard() as keys:
            try:
                self._lead(keys)
            except KeyboardInterrupt:
                render.say("")
                code = 130
        self._say_end()
        return code

    def _lead(self, keys: Keyboard) -> None:
        number = 0
        while number < len(self._queue):
            self._queue.refresh()
            item = self._queue[number]
            if self._queue.judged_since(item):
                render.say(f"  {item.row.place} was reviewed meanwhile, or a row that is equal", "dim")
                number += 1
                continue
            self._show(item)
            while (moved := self._answer(keys.read(), item, keys)) is None:
                pass
            if moved < 0:
                return
            number = moved

    def _answer(self, key: str, item: ReviewItem, keys: Keyboard) -> int | None:
        """Do what a key says; the number of the row to show next, None to wait for another key, -1 to end."""
        match key.lower():
            case "a":
                self._queue.decide(item, "accept")
                return self._next(item, "accept")
            case "r":
                return self._reject(item, keys)
            case "e":
                if self._edit(item, keys):
                    return self._next(item, "edit")
                self._show_keys(item)
            case "s":
                self._queue.skip(item)
                render.say("  skipped", "dim")
                return item.number + 1
            case "u":
                return self._undo()
            case "v":
                with keys.away():
                    click.echo_via_pager(whole(item))
                self._show_keys(item)
            case "?" | "h":
                render.say(_HELP)
            case "q" | "\x04":
                return -1
        return None

    def _next(self, item: ReviewItem, verdict: str) -> int:
        self._counts[verdict] += 1
        render.say(f"  {_DONE[verdict]}", "bold")
        return item.number + 1

    def _reject(self, item: ReviewItem, keys: Keyboard) -> int | None:
        reasons = self._queue.reviews.reasons[:9]
        for number, reason in enumerate(reasons, 1):
            render.say(f"  {number} {brief(reason)}")
        render.say(
            f"  {'A number, or a' if reasons else 'A'} reason and Enter; Enter alone gives none, Esc goes back.",
            "dim",
        )
        given = typed(keys, reasons)
        if given is None:
            render.say("  not rejected", "dim")
            self._show_keys(item)
            return None
        self._queue.decide(item, "reject", reason=given)
        return self._next(item, "reject")

    def _undo(self) -> int | None:
        undone = self._queue.undo()
        if undone is None:
            render.say("  nothing to undo", "dim")
            return None
        if undone.decision is not None:
            self._counts[undone.decision.verdict] -= 1
        render.say("  taken back", "bold")
        return undone.item.number

    def _edit(self, item: ReviewItem, keys: Keyboard) -> bool:
        """Whether the row was edited. A form that cannot be read is opened again, or kept for the next time."""
        path = self._queue.form_path(item)
        if path.exists():
            render.say("  This is what was left of your last edit of the row.", "dim")
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomic(path, self._queue.form(item))
        while True:
            if not _opened(path, keys):
                return False
            try:
                new = self._queue.read_form(item, path)
            except FormError as error:
                render.say(f"  {path.name}, {error}", "red")
                render.say(
                    "  e opens it again, d throws it away, any other key leaves it for the next time.", "dim"
                )
                write_atomic(path, marked(path.read_bytes(), error))
                key = keys.read().lower()
                if key == "d":
                    path.unlink()
                if key != "e":
                    return False
                continue
            if new is not None:
                self._queue.decide(item, "edit", new=new)
            path.unlink()  # last: where the decision cannot be written down, the form is all that there is of it
            if new is None:
                render.say("  nothing changed", "dim")
            return new is not None

    def _show(self, item: ReviewItem) -> None:
        title = f"{item.number + 1} of {len(self._queue)}  {item.row.place}{source(item)}"
        render.card(title, item.why, shown(item))
        self._show_keys(item)

    def _show_keys(self, item: ReviewItem) -> None:
        for by, one in item.standing.by.items():
            reason = f": {brief(one.reason)}" if one.reason else ""
            render.say(f"  {_DONE[one.verdict]} by {by or 'somebody'}{reason}", "yellow")
        render.say("  " + "   ".join(f"{key} {does}" for key, does in KEYS.items()), "dim")

    def _say_end(self) -> None:
        done = ", ".join(f"{self._counts[verdict]} {word}" for verdict, word in _DONE.items())
        render.say(f"{done}. Decisions: {self._queue.path}")
        if not self._queue.counts:
            render.say(NOT_YET, "yellow")


def _opened(path: Path, keys: Keyboard) -> bool:
    """Let the user's editor open a file; whether it did."""
    named = os.environ.get("VISUAL") or os.environ.get("EDITOR")
    editor = named or ("notepad" if sys.platform == "win32" else "vi")
    try:
        with keys.away():
            code = subprocess.run([*_command(editor), str(path)]).returncode
    except (OSError, ValueError) as error:
        why = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        render.say(f"  the editor {editor!r} cannot be started ({why}): name yours in EDITOR", "red")
        return False
    if code != 0:
        render.say(
            f"  the editor {editor!r} ended with {code}: the row is as it was, the form is kept", "red"
        )
    return code == 0


def _command(editor: str) -> list[str]:
    """A program and its arguments, as EDITOR has them."""
    if sys.platform == "win32":  # a backslash is a part of a path there
        return [word.strip('"') for word in shlex.split(editor, posix=False)]
    return shlex.split(editor)
