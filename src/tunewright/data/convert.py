"""Rows become examples: columns to a user's message and an answer, or a chat row's own messages."""

from typing import Any

from tunewright.core.example import Example, Origin, make_example
from tunewright.core.message import Conversation, Message
from tunewright.core.task import TaskSpec
from tunewright.data.answers import answer_reader
from tunewright.data.names import did_you_mean, listed
from tunewright.data.rows import BadFile, BadRow
from tunewright.data.sources.chat import conversation
from tunewright.data.spec import SourceSpec
from tunewright.data.template import InputTemplate


class Task:
    """A task made ready: its template compiled, its schema checked. Raises DataError where one is wrong."""

    def __init__(self, spec: TaskSpec) -> None:
        self.system = spec.system.strip()
        self.template = InputTemplate(spec.input)
        self.read_answer = answer_reader(spec.output)


class ChatRows:
    """Reads the rows of a chat source."""

    def __init__(self, task: Task) -> None:
        self._task = task

    def example(self, values: dict[str, Any], origin: Origin) -> Example:
        """The example a chat row holds; its other keys become fields. Raises BadRow.

        A leading system message that only repeats the task's is left out: it belongs to the variant that answers.
        """
        messages = conversation(values)
        if messages[0].role == "system" and messages[0].content.strip() == self._task.system:
            messages = messages[1:]
        answer = messages[-1].model_copy(
            update={"content": self._task.read_answer(messages[-1].content, False)}
        )
        fields = {name: value for name, value in values.items() if name != "messages"}
        return _checked((*messages[:-1], answer), fields, origin)


class TableRows:
    """Reads the rows of a table source by its column mapping."""

    def __init__(self, spec: SourceSpec, task: Task, sparse: bool) -> None:
        self._task = task
        self._sparse = sparse
        self._input = spec.columns.get("input", "input")
        self._expected = spec.columns.get("expected", "expected")
        self._renamed = {
            ours: theirs for ours, theirs in spec.columns.items() if ours not in ("input", "expected")
        }
        self._mapped = set(spec.columns.values()) | {self._input, self._expected}
        self._needs = {ours: spec.columns[ours] for ours in spec.columns} | {"expected": self._expected}
        if "input" in task.template.names:
            self._needs["input"] = self._input

    def check_columns(self, columns: tuple[str, ...]) -> None:
        """Raises BadFile if a file with these columns lacks one that is needed, or has a name meant twice."""
        for ours, theirs in self._needs.items():
            if theirs not in columns:
                raise BadFile(
                    f"there is no column {theirs!r} for {ours!r}; the columns are {listed(columns)}.",
                    fix=did_you_mean(theirs, columns)
                    or f"Map it under columns: {{{ours}: <the file's column>}}.",
                )
        for ours, theirs in self._renamed.items():
            if ours != theirs and ours in columns and ours not in self._mapped:
                raise BadFile(
                    f"{ours!r} is mapped to the column {theirs!r}, but the file has a column {ours!r} too.",
                    fix="Map one of them to another name.",
                )

    def example(self, values: dict[str, Any], origin: Origin) -> Example:
        """The example that a row's columns make. Raises BadRow."""
        if self._expected not in values:
            raise BadRow(_missing(self._expected, "expected", values))
        if "input" in self._needs and self._input not in values:
            raise BadRow(_missing(self._input, "input", values))
        fields = {name: value for name, value in values.items() if name not in self._mapped}
        renamed = {ours: values[theirs] for ours, theirs in self._renamed.items() if theirs in values}
        answer = self._task.read_answer(values[self._expected], self._sparse)
        user = self._task.template.render(self._context(values, fields, renamed))
        messages = (Message(role="user", content=user), Message(role="assistant", content=answer))
        return _checked(messages, {**fields, **renamed}, origin)

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


def _missing(theirs: str, ours: str, values: dict[str, Any]) -> str:
    hint = did_you_mean(theirs, values)
    if "messages" in values:
        hint = "it looks like a chat row: set format: chat"
    shown = f"; {hint[0].lower()}{hint[1:]}" if hint else ""
    return f"missing column: no {theirs!r} for {ours!r}; the row has {listed(values)}{shown}"


def _checked(messages: Conversation, fields: dict[str, Any], origin: Origin) -> Example:
    question = next((message.content for message in reversed(messages) if message.role == "user"), "")
    if not question.strip():
        raise BadRow("empty input: the user's message is blank")
    if any("\0" in message.content for message in messages):
        raise BadRow("broken text: a NUL character stands in a message")
    return make_example(messages, fields=fields, origin=origin)
