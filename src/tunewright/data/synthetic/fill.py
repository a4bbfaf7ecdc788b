"""Filling columns, one after the other, over blocks of rows: so a teacher sees many questions at once.

filler = Filler(columns, order(columns), teacher="big", seed=0, means=means)
filler.fill(rows)          each row then has its values, or the reason why it was given up
"""

import json
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import Any

from tunewright.core.generation import BUDGET, Decoding, Reply
from tunewright.core.hashing import hash_value
from tunewright.core.message import Conversation, Message
from tunewright.data.synthetic.blocks import answer
from tunewright.data.synthetic.columns import Column
from tunewright.data.synthetic.columns.column import Asking, AskingSpec, Cells, Desk
from tunewright.data.synthetic.columns.judge import Refused
from tunewright.data.synthetic.formula import BadCell, expression

_AGAIN = "That cannot be used: {why}. Answer the same question once more, with that mended, and write the answer alone."
_SAME = 0.5
"""Of so many of a column's questions the same is a flaw of the design, and told."""


class Filler:
    """Fills rows. Asking the same again gives another answer: it is drawn with another seed."""

    def __init__(
        self,
        columns: Mapping[str, Column],
        names: Sequence[str],
        *,
        teacher: str,
        seed: int,
        means: Desk,
        owner: str = "",
    ) -> None:
        """`owner` is an operation that writes: what another one draws by the same prompts is something else.

        Raises UserError where a grader's settings are wrong, or there is no such teacher.
        """
        self._teacher, self._means = teacher, means
        self._seed, self._owner = seed, [owner] if owner else []
        self._columns = [(name, columns[name], _made(name, columns[name], means)) for name in names]
        self._asked = dict[str, Counter[str]]()
        self.used_up = False
        """Whether a teacher's budget was used up: what is still asked is not answered."""

    def fill(self, rows: Sequence[Cells]) -> None:
        """Fill every column of the rows; one that cannot be filled gives its row up."""
        for name, column, made in self._columns:
            live = [row for row in rows if row.failure is None and _due(name, column, row)]
            if isinstance(made, Asking):
                self._ask(name, made, live)
            else:
                for row in live:
                    _settle(name, row, made)

    def same(self) -> list[str]:
        """Columns of which most questions were the same, a sentence each."""
        found = []
        for name, asked in self._asked.items():
            often = max(asked.values(), default=0)
            if often > 5 and often > _SAME * asked.total():
                found.append(
                    f"{name}: {often:,} of {asked.total():,} rows asked the very same, and answers to one question"
                    " are alike: let its prompt name a category, a person or a seed."
                )
        return found

    def _ask(self, name: str, asking: Asking, rows: Sequence[Cells]) -> None:
        """Ask, read, and ask those again whose answers cannot be used."""
        teacher = asking.spec.teacher or self._teacher
        open_ = [one for row in rows if (one := _first(name, asking, row)) is not None]
        counts = self._asked.setdefault(name, Counter())
        for one in open_:
            one.nth = counts[one.key]
            counts[one.key] += 1
        for attempt in range(asking.spec.retries + 1):
            if not open_:
                return
            self._round(name, asking, teacher, attempt, open_)
            open_ = [one for one in open_ if self._read(name, asking, teacher, one, attempt)]

    def _round(
        self, name: str, asking: Asking, teacher: str, attempt: int, waiting: "Sequence[_Open]"
    ) -> None:
        """Let the teacher answer all that wait; of equal questions each is drawn with a seed of its own."""
        decoding = _decoding(asking, self._means.decoding(teacher))
        nth = sorted({one.nth for one in waiting}) if decoding.temperature else [None]
        for number in nth:
            some = [one for one in waiting if number is None or one.nth == number]
            # the likeliest answer is the same whoever asks for it: it is asked for once
            owner = [] if number is None else self._owner
            drawn = int(hash_value([self._seed, *owner, name, attempt, number])[:7], 16)
            asked = [conversation for one in some for conversation in one.asked]
            replies = iter(
                self._means.generator(teacher).generate(asked, decoding.model_copy(update={"seed": drawn}))
            )
            for one in some:
                one.replies = [next(replies) for _ in one.asked]

    def _read(self, name: str, asking: Asking, teacher: str, one: "_Open", attempt: int) -> bool:
        """Take the answers; whether they are to be asked for again."""
        row, texts = one.row, [answer(reply.text) for reply in one.replies]
        if error := next((reply.error for reply in one.replies if reply.error is not None), None):
            self.used_up = self.used_up or error == BUDGET
            row.failure = error if error == BUDGET else f"{name}: {error}"
            return False
        try:
            if any(reply.finish == "length" for reply in one.replies):
                raise BadCell(
                    f"it was cut off after {max(reply.tokens_out for reply in one.replies):,} tokens"
                )
            row.values[name] = _sound(asking.read(row, texts))
        except BadCell as bad:
            if attempt < asking.spec.retries and not isinstance(bad, Refused):
                one.asked = [
                    _again(asked, said, str(bad)) if bad.place in (None, place) else asked
                    for place, (asked, said) in enumerate(zip(one.asked, texts, strict=True))
                ]
                return True
            row.failure, row.said = f"{name}: {bad}", [reply.text for reply in one.replies]
            return False
        if teacher not in row.teachers:
            row.teachers.append(teacher)
        return False


class _Open:
    """A row whose cell waits for an answer."""

    def __init__(self, row: Cells, asked: list[Conversation]) -> None:
        self.row, self.asked = row, asked
        self.key = hash_value([[message.wire() for message in one] for one in asked])
        self.nth = 0
        self.replies = list[Reply]()


def _made(name: str, column: Column, means: Desk) -> Asking | Callable[[Cells], Any]:
    module = import_module(type(column).__module__)
    if isinstance(column, AskingSpec):
        asking: Asking = module.asks(column, name, means)
        return asking
    cell: Callable[[Cells], Any] = module.each(column, name, means)
    return cell


def _due(name: str, column: Column, row: Cells) -> bool:
    """Whether the cell is to be filled; where not, it is settled."""
    try:
        if column.when is None or expression(column.when).of(row.values):
            return True
    except BadCell as bad:
        row.failure = f"{name}: {bad}"
        return False
    row.values[name] = column.otherwise
    return False


def _settle(name: str, row: Cells, cell: Callable[[Cells], Any]) -> None:
    try:
        row.values[name] = cell(row)
    except (BadCell, ValueError, ArithmeticError) as bad:
        row.failure = f"{name}: {bad}"


def _sound(value: Any) -> Any:
    """The value. Raises BadCell where a text in it is none, so that it could neither be asked about nor written."""
    try:
        json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        raise BadCell("half of a surrogate pair stands in it") from None
    return value


def _first(name: str, asking: Asking, row: Cells) -> _Open | None:
    try:
        return _Open(row, asking.prompts(row))
    except BadCell as bad:
        row.failure = f"{name}: {bad}"
        return None


def _decoding(asking: Asking, own: Decoding) -> Decoding:
    spec = asking.spec
    said = {name: getattr(spec, name) for name in ("temperature", "top_p", "max_new_tokens")}
    drawn = {name: value for name, value in said.items() if value is not None}
    return own.model_copy(update={**drawn, "json_schema": asking.schema})


def _again(asked: Conversation, said: str, why: str) -> Conversation:
    """The question, the answer, and what is wrong with it."""
    problem = Message(role="user", content=_AGAIN.format(why=why.rstrip(".")))
    return (*asked, Message(role="assistant", content=said or "(nothing)"), problem)
