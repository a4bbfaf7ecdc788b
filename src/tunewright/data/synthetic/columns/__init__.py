"""Columns of rows that are written: one file each, found by its type; `column.py` says what they are."""

from typing import Annotated

from pydantic import Field

from tunewright.data.synthetic.columns.category import CategoryColumn
from tunewright.data.synthetic.columns.code import CodeColumn
from tunewright.data.synthetic.columns.compare import CompareColumn
from tunewright.data.synthetic.columns.date import DateColumn
from tunewright.data.synthetic.columns.expression import ExpressionColumn
from tunewright.data.synthetic.columns.judge import JudgeColumn
from tunewright.data.synthetic.columns.number import NumberColumn
from tunewright.data.synthetic.columns.person import PersonColumn
from tunewright.data.synthetic.columns.quotes import QuotesColumn
from tunewright.data.synthetic.columns.reply import ReplyColumn
from tunewright.data.synthetic.columns.seed import SeedColumn
from tunewright.data.synthetic.columns.sentence import SentenceColumn
from tunewright.data.synthetic.columns.structured import StructuredColumn
from tunewright.data.synthetic.columns.subcategory import SubcategoryColumn
from tunewright.data.synthetic.columns.text import TextColumn
from tunewright.data.synthetic.columns.uuid import UuidColumn
from tunewright.data.synthetic.columns.validate import ValidateColumn

Column = Annotated[
    CategoryColumn
    | CodeColumn
    | CompareColumn
    | DateColumn
    | ExpressionColumn
    | JudgeColumn
    | NumberColumn
    | PersonColumn
    | QuotesColumn
    | ReplyColumn
    | SeedColumn
    | SentenceColumn
    | StructuredColumn
    | SubcategoryColumn
    | TextColumn
    | UuidColumn
    | ValidateColumn,
    Field(discriminator="type"),
]
