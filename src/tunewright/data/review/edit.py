"""What an editor changed in a row, and the row as it is then.

edit = edit_of(row, new)
edited(row, edit)                       # equal to `new`
"""

from collections.abc import Callable
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, JsonValue, model_validator

from tunewright.core.example import Example, make_document, make_example
from tunewright.core.message import Conversation, is_document, tools_of


class Edit(BaseModel):
    """What an editor changed in a row: only the parts that are named are others now."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    messages: Conversation | None = None
    """The whole conversation, where a message changed."""
    rejected: str | None = None
    """The worse answer; a null that is written down takes it out."""
    desirable: bool | None = None
    """The rating; a null that is written down takes it out."""
    fields: dict[str, JsonValue] = {}
    """The fields that are new or have another value."""
    without: tuple[str, ...] = ()
    """The fields that are taken out."""

    @model_validator(mode="after")
    def _is_a_row(self) -> Self:
        """It is held to what a source's row is held to: a file of reviews may come from a stranger."""
        if self.messages is not None:
            _check_messages(self.messages)
        texts = (*(message.said for message in self.messages or ()), self.rejected or "")
        if any("\0" in text for text in texts):
            raise ValueError("a NUL character stands in an edited text")
        if self.rejected is not None and not self.rejected.strip():
            raise ValueError("the worse answer is blank")
        return self


def edit_of(old: Example, new: Example) -> Edit | None:
    """What changed from one to the other; none where nothing did."""
    changed: dict[str, Any] = {}
    if new.messages != old.messages:
        changed["messages"] = new.messages
    if new.rejected != old.rejected:
        changed["rejected"] = new.rejected
    if rating(new) != rating(old):
        changed["desirable"] = rating(new)
    fields = {
        name: value
        for name, value in new.fields.items()
        if name not in old.fields or not _same(value, old.fields[name])
    }
    without = tuple(name for name in old.fields if name not in new.fields)
    changed |= {"fields": fields} if fields else {}
    changed |= {"without": without} if without else {}
    return Edit(**changed) if changed else None


def edited(row: Example, edit: Edit) -> Example:
    """The row with an edit's changes. Raises ValueError for an edit that does not fit: of a document for another row."""
    fields = {**row.fields, **edit.fields}
    fields = {name: value for name, value in fields.items() if name not in edit.without}
    messages = row.messages if edit.messages is None else edit.messages
    if is_document(messages) != row.is_document:
        raise ValueError("a document stays a document, and a conversation keeps what it asks")
    if is_document(messages):
        return make_document(messages[0].content, fields=fields, origin=row.origin)
    given = edit.model_fields_set
    return make_example(
        messages,
        fields=fields,
        origin=row.origin,
        rejected=edit.rejected if "rejected" in given else row.rejected,
        desirable=edit.desirable if "desirable" in given else rating(row),
    )


def _check_messages(messages: Conversation) -> None:
    """Raises ValueError unless a source could hold them."""
    from tunewright.data.rows import BadRow
    from tunewright.data.sources.chat import talk

    if not messages or messages[-1].role != "assistant":
        raise ValueError("the edited messages do not end with the assistant's")
    last = messages[-1]
    if not last.content.strip() and (is_document(messages) or not last.tool_calls):
        raise ValueError("the edited answer is blank")
    if is_document(messages):
        if not last.is_plain:
            raise ValueError("a document calls no tools")
        return
    turns = [
        {**message.wire(), **({} if message.weight is None else {"weight": message.weight})}
        for message in messages
    ]
    try:
        read = talk({"messages": turns, "tools": tools_of(messages)}).messages
    except BadRow as bad:
        raise ValueError(str(bad)) from None
    if [turn.model_dump(exclude={"tools"}) for turn in read] != [
        turn.model_dump(exclude={"tools"}) for turn in messages
    ]:
        raise ValueError("the edited messages are not in the form that rows are kept in")


def held_to(row: Example, check: Callable[[str], str]) -> Example:
    """The row with its answer as the task wants it; one that is rated bad, or calls tools, need not keep to it, nor need a
    document. `check` is what the task makes of an answer. Raises what it raises.
    """
    last = row.messages[-1]
    if row.is_document or last.tool_calls or not row.desirable:
        return row
    answer = last.model_copy(update={"content": check(last.content)})
    if answer == last:
        return row
    return make_example(
        (*row.messages[:-1], answer),
        fields=row.fields,
        origin=row.origin,
        rejected=row.rejected,
        desirable=rating(row),
    )


def rating(row: Example) -> bool | None:
    """Whether somebody called its answer good or bad; none where nobody rated it."""
    return row.desirable if row.rated else None


def _same(one: Any, other: Any) -> bool:
    from tunewright.core.strict_json import equal

    return equal(one, other)
