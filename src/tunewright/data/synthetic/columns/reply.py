"""reply: what a teacher answers to the seed's own question, with all turns before it."""

from typing import ClassVar, Literal

from tunewright.core.message import Conversation, with_system
from tunewright.data.kinds import Kind
from tunewright.data.synthetic.columns.column import Asking, AskingSpec, Cells, Desk
from tunewright.data.synthetic.formula import BadCell, template


class ReplyColumn(AskingSpec):
    """What a teacher answers where the seed row's answer stands: it is asked the row's whole conversation up to there."""

    KIND: ClassVar[Kind] = "text"

    type: Literal["reply"] = "reply"
    """Chooses this column."""


def asks(spec: ReplyColumn, name: str, means: Desk) -> Asking:
    """The seed's conversation, below the system message where it has none; the answer without outer blanks."""

    def prompts(cells: Cells) -> list[Conversation]:
        if cells.seed is None or cells.seed.is_document:
            raise BadCell("there is no conversation to go on with")
        return [with_system(cells.seed.prompt, str(template(spec.system).of(cells.values)).strip())]

    def read(cells: Cells, replies: list[str]) -> str:
        if not replies[0].strip():
            raise BadCell("it is blank")
        return replies[0].strip()

    return Asking(spec, prompts, read)
