"""Rows become examples: columns to a user's message and an answer, a chat row's own messages, or a column to a document."""

from typing import Any

from tunewright.core.example import Example, Origin, make_document, make_example
from tunewright.core.message import Conversation, Message, tools_of, with_tools
from tunewright.core.task import TaskSpec, TextOutput
from tunewright.data.answers import answer_reader, loose_reader, without_nulls
from tunewright.data.forms import FormSpec, reader
from tunewright.data.names import did_you_mean, listed
from tunewright.data.ratings import read_rating
from tunewright.data.rows import BadFile, BadRow
from tunewright.data.side_keys import TURN_FIELDS, free_name
from tunewright.data.sources.chat import talk as read_talk
from tunewright.data.sources.jsonl import kind_of
from tunewright.data.spec import ANSWERING, TEXT, SourceSpec
from tunewright.data.template import InputTemplate
from tunewright.data.thinking import BEGIN, REFUSED, Thoughts


class Task:
    """A task made ready: its template compiled, its schema checked. Raises DataError where one is wrong."""

    def __init__(self, spec: TaskSpec) -> None:
        self.system = spec.system.strip()
        self.template = InputTemplate(spec.input)
        self.read_answer = answer_reader(spec.output)
        self.read_bad_answer = loose_reader(spec.output)
        self.takes_text = isinstance(spec.output, TextOutput)


class ChatRows:
    """Reads the rows of a chat source."""

    def __init__(self, task: Task, sparse: bool = False) -> None:
        """In a `sparse` table (see Table.sparse) the nulls in messages and tools stand for absent members."""
        self._task = task
        self._sparse = sparse

    def example(self, values: dict[str, Any], origin: Origin, thoughts: Thoughts = REFUSED) -> Example:
        """The example a chat row holds; its other keys become fields, and so do other keys of its messages. Raises BadRow.

        `thoughts` says what becomes of thinking beside them, and learns whether there was some. A leading system message
        that only repeats the task's is left out: it belongs to the variant that answers.
        """
        aside: dict[str, dict[str, Any]] = {}
        talk = read_talk(without_nulls(values) if self._sparse else values, aside, thoughts)
        messages = talk.messages
        if messages[0].role == "system" and messages[0].content.strip() == self._task.system:
            messages = with_tools(messages[1:], tools_of(messages))
        # what is rated bad, or worse, is no expected answer: it need not keep to the schema
        said = messages[-1].content
        bad = talk.desirable is False
        # a call is no answer in the task's form, and may have no text beside it
        answer = said if messages[-1].tool_calls else self._read_answer(said, bad, thoughts)
        rejected = None if talk.rejected is None else self._read_answer(talk.rejected, True, thoughts)
        if answer != said:
            messages = (*messages[:-1], messages[-1].model_copy(update={"content": answer}))
        fields = {name: value for name, value in values.items() if name not in talk.keys}
        if aside:
            if TURN_FIELDS in fields:
                fields[free_name(TURN_FIELDS, fields)] = fields[TURN_FIELDS]
            fields[TURN_FIELDS] = aside
        return _checked(messages, fields, origin, rejected, talk.desirable)

    def _read_answer(self, said: str, bad: bool, thoughts: Thoughts) -> str:
        """The answer in the task's form, which may have no place for thinking. Raises BadRow."""
        inlined = thoughts.how == "inline" and thoughts.found and said.startswith(BEGIN)
        if inlined and not self._task.takes_text:
            raise BadRow(
                "not carried: the task's answers are held to a schema, which has no place for the thinking that inline puts"
                " before them; thinking: drop leaves it out"
            )
        return self._task.read_bad_answer(said) if bad else self._task.read_answer(said, False)


class TableRows:
    """Reads the rows of a table source by its column mapping."""

    def __init__(self, spec: SourceSpec, task: Task, sparse: bool) -> None:
        self._task = task
        self._sparse = sparse
        self._input = spec.columns.get("input", "input")
        self._expected = spec.columns.get("expected", "expected")
        self._rejected, self._desirable = spec.columns.get("rejected"), spec.columns.get("desirable")
        self._renamed = {ours: theirs for ours, theirs in spec.columns.items() if ours not in ANSWERING}
        self._mapped = set(spec.columns.values()) | {self._input, self._expected}
        self._needs = {ours: spec.columns[ours] for ours in spec.columns} | {"expected": self._expected}
        if "input" in task.template.names:
            self._needs["input"] = self._input

    def check_columns(self, columns: tuple[str, ...]) -> None:
        """Raises BadFile if a file with these columns lacks one that is needed, or has a name meant twice."""
        _check_columns(columns, self._needs, self._renamed, self._mapped)

    def example(self, values: dict[str, Any], origin: Origin, thoughts: Thoughts = REFUSED) -> Example:
        """The example that a row's columns make: no thinking stands beside its answer. Raises BadRow."""
        if self._expected not in values:
            raise BadRow(_missing(self._expected, "expected", values))
        if "input" in self._needs and self._input not in values:
            raise BadRow(_missing(self._input, "input", values))
        fields = {name: value for name, value in values.items() if name not in self._mapped}
        renamed = {ours: values[theirs] for ours, theirs in self._renamed.items() if theirs in values}
        desirable = None
        if self._desirable is not None:
            desirable = read_rating(values.get(self._desirable), self._desirable)
        said = values[self._expected]
        bad = desirable is False
        answer = self._task.read_bad_answer(said) if bad else self._task.read_answer(said, self._sparse)
        worse = self._rejected
        rejected = None if worse is None else self._task.read_bad_answer(values.get(worse))
        user = self._task.template.render(self._context(values, fields, renamed))
        messages = (Message(role="user", content=user), Message(role="assistant", content=answer))
        return _checked(messages, {**fields, **renamed}, origin, rejected, desirable)

    def _context(
        self, values: dict[str, Any], fields: dict[str, Any], renamed: dict[str, Any]
    ) -> dict[str, Any]:
        """What the template may use: every column but the answer. A mapped column that a row lacks is null."""
        context = {**fields, **{ours: renamed.get(ours) for ours in self._renamed}}
        for ours, theirs in self._renamed.items():
            if theirs == self._expected:
                del context[ours]
        if self._input in values:
            context["input"] = values[self._input]
        return context


class DocumentRows:
    """Reads the rows of a source of documents: one column is the text, the others become fields."""

    def __init__(self, spec: SourceSpec) -> None:
        self._text = spec.columns.get(TEXT, TEXT)
        self._renamed = {ours: theirs for ours, theirs in spec.columns.items() if ours != TEXT}
        self._mapped = {self._text, *self._renamed.values()}

    def check_columns(self, columns: tuple[str, ...]) -> None:
        """Raises BadFile if a file with these columns lacks one that is needed, or has a name meant twice."""
        _check_columns(columns, {TEXT: self._text, **self._renamed}, self._renamed, self._mapped)

    def example(self, values: dict[str, Any], origin: Origin, thoughts: Thoughts = REFUSED) -> Example:
        """The document that a row holds, as it is written: no thinking stands beside it. Raises BadRow."""
        if self._text not in values:
            raise BadRow(_missing(self._text, TEXT, values))
        text = values[self._text]
        if text is not None and not isinstance(text, str):
            raise BadRow(f"bad text: {self._text!r} is {kind_of(text)}, not a text")
        if text is None or not text.strip():
            raise BadRow("empty text: the document is blank")
        if "\0" in text:
            raise BadRow("broken text: a NUL character stands in the document")
        fields = {name: value for name, value in values.items() if name not in self._mapped}
        renamed = {ours: values[theirs] for ours, theirs in self._renamed.items() if theirs in values}
        return make_document(text, fields={**fields, **renamed}, origin=origin)


class FormRows:
    """Reads the rows of a source in another tool's form, each a conversation or a document."""

    def __init__(self, spec: SourceSpec, form: FormSpec, task: Task, sparse: bool) -> None:
        """Raises BadFile where the source maps columns, too: the form says what its keys are."""
        if spec.columns:
            fix = "Leave columns out; keys that differ from the form's stand under form.keys."
            raise BadFile("the source has both a form and columns.", fix=fix)
        if spec.thinking and not form.has_turns:
            raise _without_thinking(f"rows of the form {form.name} have no turns")
        self._read = reader(form)
        self._sparse = sparse
        self._chat = ChatRows(task)
        self._documents = DocumentRows(spec)

    def check_columns(self, columns: tuple[str, ...]) -> None:
        """Which columns a row needs hangs on what it is: each row is looked at by itself."""

    def example(self, values: dict[str, Any], origin: Origin, thoughts: Thoughts = REFUSED) -> Example:
        """The example that a row of the form is; of `thoughts` see ChatRows. Raises BadRow."""
        if self._sparse:
            values = {name: without_nulls(value) for name, value in values.items()}
        row = self._read(values, thoughts)
        return (self._chat if "messages" in row else self._documents).example(row, origin, thoughts)


def _check_columns(
    columns: tuple[str, ...], needs: dict[str, str], renamed: dict[str, str], mapped: set[str]
) -> None:
    """Raises BadFile where a column of `needs` (ours → theirs) is not there, or a field's new name is taken."""
    for ours, theirs in needs.items():
        if theirs not in columns:
            raise BadFile(
                f"there is no column {theirs!r} for {ours!r}; the columns are {listed(columns)}.",
                fix=did_you_mean(theirs, columns)
                or f"Map it under columns: {{{ours}: <the file's column>}}.",
            )
    for ours, theirs in renamed.items():
        if ours != theirs and ours in columns and ours not in mapped:
            raise BadFile(
                f"{ours!r} is mapped to the column {theirs!r}, but the file has a column {ours!r} too.",
                fix="Map one of them to another name.",
            )


def _missing(theirs: str, ours: str, values: dict[str, Any]) -> str:
    hint = did_you_mean(theirs, values)
    if "messages" in values:
        hint = "it looks like a chat row: set format: chat"
    shown = f"; {hint[0].lower()}{hint[1:]}" if hint else ""
    return f"missing column: no {theirs!r} for {ours!r}; the row has {listed(values)}{shown}"


def _checked(
    messages: Conversation,
    fields: dict[str, Any],
    origin: Origin,
    rejected: str | None,
    desirable: bool | None,
) -> Example:
    question = next((message.content for message in reversed(messages) if message.role == "user"), "")
    if not question.strip():
        raise BadRow("empty input: the user's message is blank")
    if any("\0" in text for text in (*(message.content for message in messages), rejected or "")):
        raise BadRow("broken text: a NUL character stands in a message")
    return make_example(messages, fields=fields, origin=origin, rejected=rejected, desirable=desirable)


def _without_thinking(why: str) -> BadFile:
    fix = (
        "Leave out thinking here, or say of which form the rows are where they are conversations (form: openai, …). "
        "Where a source's other files hold such, give its files as two sources."
    )
    return BadFile(f"{why}, and no thinking stands beside their answers.", fix=fix)


Reader = ChatRows | DocumentRows | FormRows | TableRows


def row_reader(spec: SourceSpec, task: Task, kind: str, sparse: bool) -> Reader:
    """The reader of rows that a file was opened as (sources.Opened).

    Raises BadFile for both a form and columns, and for `thinking` of rows that have none.
    """
    if spec.form is not None:
        return FormRows(spec, spec.form, task, sparse)
    if kind == "chat":
        return ChatRows(task, sparse)
    if spec.thinking:
        raise _without_thinking("its rows are no conversations")
    return DocumentRows(spec) if kind == "documents" else TableRows(spec, task, sparse)
