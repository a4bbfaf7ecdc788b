"""A project's rows under review: a queue of them, and the file that decisions go to.

    queue = project.review({"rows": 50})
    for item in queue:
        queue.decide(item, "accept")

The queue has the rows that the operation `review` takes; in a recipe without one, those that the recipe ends with.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import ValidationError

from tunewright.core.by_place import ByPlace
from tunewright.core.errors import UserError
from tunewright.core.events import silent
from tunewright.core.example import Example
from tunewright.core.files import replacing
from tunewright.core.hashing import SHORT, hash_text
from tunewright.data.answers import answer_reader
from tunewright.data.files import source_paths
from tunewright.data.ops.op import Rows
from tunewright.data.review.decision import Decision, Drawn, Key, Verdict, key_of, now, wrong
from tunewright.data.review.edit import edit_of, edited
from tunewright.data.review.exchange import queue_line, read_decisions
from tunewright.data.review.file import LONGEST, append, read_all
from tunewright.data.review.form import FormError, form, read_form
from tunewright.data.review.found import find
from tunewright.data.review.queue import Chosen, Selection, Why, choose
from tunewright.data.review.standing import UNREVIEWED, Reviews, Standing
from tunewright.data.review.status import ReviewStatus, status
from tunewright.models.machine import free_cores
from tunewright.project.file import ProjectFile
from tunewright.project.review_changes import Changes, changes_of
from tunewright.project.review_place import ReviewPlace
from tunewright.project.stages.data import reach
from tunewright.project.steps import StepContext
from tunewright.store.artifact import Artifact
from tunewright.store.store import Store


class Desk(NamedTuple):
    """Where a review is done."""

    root: Path
    """The project's folder."""
    place: ReviewPlace
    forms: Path
    """The folder that forms lie in while they are edited."""
    check: Callable[[str], str]
    """What the task makes of an expected answer. Raises BadRow."""

    def read(self) -> Reviews:
        """What was decided until now."""
        return Reviews(read_all(self.root, self.place.pattern))

    def sizes(self) -> dict[Path, int]:
        """Bytes of each file of decisions: as they only grow, these tell whether somebody wrote there."""
        return {path: path.stat().st_size for path in source_paths(self.root, self.place.pattern)}


class ReviewItem(NamedTuple):
    """A row in the queue."""

    number: int
    """Its place in the queue, from 0 on."""
    row: Example
    why: str
    """Why it is here."""
    before: tuple[Example, ...]
    """What it was before the operation whose changes are looked at."""
    standing: Standing
    """How it stands by what was decided on it until now; whoever gives a second judgement does not see the first."""


class TakenIn(NamedTuple):
    """What became of a file of decisions."""

    new: int
    known: int
    """Decisions that were there already."""
    silent: int
    """Lines without a verdict."""
    disagreed: list[str]
    """Places of rows that are now judged differently by two people; the later judgement counts."""


class Step(NamedTuple):
    """What was done to a row of the queue, and can be undone."""

    item: ReviewItem
    decision: Decision | None
    """None: it was skipped."""
    earlier: Decision | None
    """What the same person had decided before."""


class ReviewQueue(ByPlace[ReviewItem]):
    """Rows to review, in order, and what becomes of them. Each decision is on the disk before a call returns."""

    def __init__(
        self,
        rows: Rows,
        desk: Desk,
        selection: Selection,
        *,
        changes: Sequence[Changes] = (),
        further: Sequence[Why] = (),
    ) -> None:
        """`changes` and `further` choose rows by more than what they say.

        Raises what `choose` raises, DataError for a line that is no decision.
        """
        self.rows = rows
        """All rows that may be reviewed."""
        self.by = desk.place.by
        """Who reviews."""
        self.counts = desk.place.node is not None
        """Whether the recipe has a review that puts the decisions in."""
        self._desk = desk
        self.path = desk.root / desk.place.file
        """The file that decisions go to."""
        self._sizes: dict[Path, int] = {}
        self.reviews: Reviews
        """What was decided until now."""
        self._load()
        self._changes = changes
        asks = [*further, *(change.why for change in changes)]
        self.chosen: Chosen = choose(rows, self.reviews, selection, by=self.by, further=asks)
        """Which rows are in the queue, and how many there are in all."""
        self._blind = selection.second
        self._unreviewed = not (selection.row or selection.again or selection.second or selection.disagreed)
        self._done = list[Step]()

    def refresh(self) -> None:
        """Take in what other reviewers decided since. Raises DataError for a line that is no decision, OSError."""
        if self._desk.sizes() != self._sizes:
            self._load()

    def judged_since(self, item: ReviewItem) -> bool:
        """Whether a row that was queued because nobody had reviewed it is reviewed by now: it, or an equal one."""
        return self._unreviewed and self.reviews.on(item.row).decision is not None

    def __len__(self) -> int:
        return len(self.chosen.numbers)

    def read(self, place: int) -> ReviewItem:
        """The row at a place of the queue."""
        number = self.chosen.numbers[place]
        row = self.rows[number]
        why = self.chosen.why.get(number, "drawn at random" if self.chosen.drawn == "random" else "")
        before = tuple(was for change in self._changes for was in change.before(row))
        standing = UNREVIEWED if self._blind else self.reviews.on(row)
        return ReviewItem(place, row, why, before, standing)

    def decide(
        self, item: ReviewItem, verdict: Verdict, *, reason: str = "", new: Example | None = None
    ) -> Decision:
        """Accept a row, reject it for a reason, or put the edited row `new` in its place.

        Raises UserError where an edit changes nothing or makes no row, OSError where it could not be written down.
        """
        drawn, at = self.drawn_of(item), self._now(key_of(item.row))
        try:
            edit = edit_of(item.row, new) if new else None
            if verdict == "edit" and edit is None:
                raise UserError(f"{item.row.place} says what it said before", fix="Accept it as it is.")
            seen = any(name != self.by for name in item.standing.by)
            decision = Decision.on(
                item.row, verdict, reason=reason, edit=edit, drawn=drawn, by=self.by, at=at, seen=seen
            )
        except ValidationError as error:
            raise UserError(wrong(error), where=item.row.place) from None
        earlier = self.reviews.mine(item.row, self.by)
        self._write(decision)
        self._done.append(Step(item, decision, earlier))
        return decision

    def skip(self, item: ReviewItem) -> None:
        """Leave a row as it stands; `undo` leads back to it."""
        self._done.append(Step(item, None, None))

    def undo(self) -> Step | None:
        """Take the last decision of this queue back, or a skip; returns what it was, none where there is nothing to undo."""
        if not self._done:
            return None
        step = self._done[-1]
        if step.decision is not None:
            back = step.earlier or Decision.on(step.item.row, "withdraw", by=self.by)
            self._write(back.model_copy(update={"at": self._now(back.key)}))
        return self._done.pop()

    def status(self) -> ReviewStatus:
        """How far the review of all rows has come."""
        return status(self.rows, self.reviews)

    def form(self, item: ReviewItem) -> str:
        """The row as a form to be edited: as the edit left it that counts now, where there is one."""
        said = item.standing.decision
        return form(edited(item.row, said.edit) if said and said.edit else item.row)

    def form_path(self, item: ReviewItem) -> Path:
        """Where the form lies while a row is edited, for each reviewer another; it stays there until it could be read."""
        return self._desk.forms / f"{item.row.id}-{hash_text(self.by)[:SHORT]}.txt"

    def read_form(self, item: ReviewItem, path: Path) -> Example | None:
        """The row as a form says it is now, held to what the task asks of answers; None where nothing changed.

        Raises FormError with the line, OSError.
        """
        with path.open("rb") as stream:
            data = stream.read(LONGEST + 1)
        if len(data) > LONGEST:
            raise FormError(1, f"the form is longer than {LONGEST:,} bytes")
        try:
            text = data.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise FormError(data[: error.start].count(b"\n") + 1, "the line is not UTF-8") from None
        return read_form(text, item.row, self._desk.check)

    def export(self, path: Path) -> int:
        """Write the queue for another tool, which fills in the verdicts; returns its rows. Raises UserError, OSError."""
        if not path.parent.is_dir():
            raise UserError("there is no such folder", where=str(path.parent), fix="Make it first.")
        if path.is_dir():
            raise UserError("this is a folder", where=str(path), fix=f"Name a file: {path / 'queue.jsonl'}.")
        with replacing(path) as stream:
            for one in self:
                stream.write(queue_line(one.row, one.why, self.drawn_of(one), one.standing))
        return len(self)

    def take(self, path: Path) -> "TakenIn":
        """Take in what another tool, or another reviewer, decided: all of it, or nothing where a line is wrong.

        Decisions that are there already are not written twice. Raises DataError with the line, OSError.
        """
        self.refresh()
        undated = now()
        found = read_decisions(path, self.by, undated, self._rows_of, self._desk.check)
        known = {one.model_dump_json() for one in read_all(self._desk.root, self._desk.place.pattern)}
        new = [
            one
            for one in found.decisions
            if one.model_dump_json() not in known and not (one.at == undated and self._is_said(one))
        ]
        dated = [
            one.model_copy(update={"at": self._now(one.key)}) if one.at == undated else one for one in new
        ]
        self._write(*dated)
        self._load()  # they may be older than what was there
        return TakenIn(len(new), len(found.decisions) - len(new), found.silent, self._disagreed(new))

    def drawn_of(self, item: ReviewItem) -> Drawn:
        """Whether a row was drawn at random: who judges a drawn row anew judges a drawn row."""
        known = self.reviews.on(item.row).decision
        return known.drawn if known else self.chosen.drawn

    def _rows_of(self, keys: set[Key]) -> dict[Key, Example]:
        return {key: row for row in self.rows if (key := key_of(row)) in keys}

    def _disagreed(self, decisions: Sequence[Decision]) -> list[str]:
        """The places of the rows of these decisions that two people judge differently."""
        keys = dict.fromkeys(one.key for one in decisions)
        return [
            key.place
            for key in keys
            if key in self.reviews and len({one.judgement for one in self.reviews.judges(key).values()}) > 1
        ]

    def _is_said(self, decision: Decision) -> bool:
        """Whether the same person's last decision on the row says the same."""
        judges = self.reviews.judges(decision.key) if decision.key in self.reviews else {}
        last = judges.get(decision.by)
        if last is None:
            return decision.verdict == "withdraw"
        return (last.judgement, last.reason) == (decision.judgement, decision.reason)

    def _now(self, key: Key) -> datetime:
        """The time of a decision on a row: behind all that were made on it, whatever the clocks of others say."""
        return now(self.reviews.newest(key))

    def _load(self) -> None:
        self._sizes = self._desk.sizes()
        self.reviews = self._desk.read()

    def _write(self, *decisions: Decision) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        span = append(self.path, *decisions)
        if span.begin == self._sizes.get(self.path, 0):
            self._sizes[self.path] = span.end  # nobody else wrote there: the next refresh has nothing to read
        for decision in decisions:
            self.reviews.add(decision)


def selection_of(settings: Mapping[str, Any]) -> Selection:
    """The selection that these settings make. Raises UserError for one that is none."""
    try:
        return Selection.model_validate(dict(settings))
    except ValidationError as error:
        raise UserError(wrong(error), where="review") from None


def open_queue(
    file: ProjectFile,
    root: Path,
    store: Store,
    ingested: Artifact,
    place: ReviewPlace,
    selection: Selection,
) -> ReviewQueue:
    """Work the recipe up to its review and queue its rows. The caller holds the store's lock.

    Raises what `ReviewQueue` raises, and the operations before the review.
    """
    scratch = store.root / "work"
    context = StepContext(
        file, root, store, {"ingest": ingested}, scratch, scratch, free_cores(), silent, asks=False
    )
    reached = reach(context, place.before)
    rows = Rows({name: reached.rows[name] for name in place.takes})
    changes = changes_of(selection.of, place.before, reached) if selection.of else ()
    further = [find(rows, selection.finding)] if selection.finding else []
    read_answer = answer_reader(file.task.output)
    desk = Desk(
        root,
        place,
        store.root / "forms",
        lambda answer: read_answer(answer, False),
    )
    return ReviewQueue(rows, desk, selection, changes=changes, further=further)
