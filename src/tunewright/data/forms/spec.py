"""FormSpec: which other tool's form a source's rows have, and where they differ from it."""

from collections.abc import Mapping
from typing import Any, Literal, NamedTuple

from pydantic import ConfigDict, Field, field_validator, model_validator

from tunewright.core.spec import Spec
from tunewright.data.forms.presets import PARTS, PRESETS
from tunewright.data.names import did_you_mean, listed
from tunewright.data.thinking import REFUSED, Thoughts

MESSAGE_PARTS = (
    *("role", "content", "weight", "train", "train_detail", "tool_calls", "tool_call_id", "name", "thinking"),
)
"""The parts of a turn, which `message_keys` may give another key."""
_WITHOUT_TURNS = ("instruction", "critique", "segments", "text")
"""Families whose rows are texts alone."""


class Form(NamedTuple):
    """A form ready to read rows: what its tool has, with the spec's own laid over."""

    name: str
    family: str
    keys: Mapping[str, str]
    """Part → the row's key."""
    message_keys: Mapping[str, str]
    """A turn's part → its key."""
    roles: Mapping[str, str]
    """The row's word → our role, or `call`."""
    formats: Mapping[str, str]
    alternating: bool
    spec: "FormSpec"
    thoughts: Thoughts = REFUSED
    """What becomes of the thinking in the row at hand."""


def _or_its_name(schema: dict[str, Any]) -> None:
    """A form's JSON Schema: its name, or the settings."""
    settings = dict(schema)
    schema.clear()
    schema["anyOf"] = [{"type": "string", "enum": sorted(PRESETS)}, settings]


class FormSpec(Spec):
    """The form of another tool's rows. Its name alone, `form: sharegpt`, is enough where nothing differs."""

    model_config = ConfigDict(json_schema_extra=_or_its_name)

    name: str
    """The form, as its tool calls it: `alpaca`, `sharegpt`, `openai`, `trl`, `completion` and others (docs/importing.md)."""
    keys: dict[str, str] = Field(default_factory=dict)
    """The form's part → the row's key, where it is another: {output: response}. An empty key: there is no such part."""
    message_keys: dict[str, str] = Field(default_factory=dict)
    """A turn's part → its key, where it is another: {role: from, content: value}."""
    roles: dict[str, Literal["system", "developer", "user", "assistant", "tool", "call"]] = Field(
        default_factory=dict
    )
    """The row's word for who speaks → who it is, where the form does not know it: {bot: assistant}. `call` is an assistant's
    call of a tool, written as JSON."""
    formats: dict[Literal["user", "user_alone", "answer"], str] = Field(default_factory=dict)
    """Texts made of several parts: {user: "{input}\\n{instruction}"}. `user_alone` is for rows without an input."""
    system: str = ""
    """The system message of rows that have none of their own."""
    drop_system: bool = False
    """Leave the rows' system messages out."""
    trained: Literal["all", "last"] = "all"
    """Which of a conversation's answers are trained: all, or the last alone."""
    best: Literal["lowest", "highest"] | None = None
    """Of ranked answers (`dpo.nectar`): which rank is the best one."""

    @model_validator(mode="before")
    @classmethod
    def _by_name(cls, value: Any) -> Any:
        return {"name": value} if isinstance(value, str) else value

    @field_validator("name")
    @classmethod
    def _is_known(cls, name: str) -> str:
        if name not in PRESETS:
            hint = did_you_mean(name, PRESETS) or f"There are {', '.join(sorted(PRESETS))}."
            raise ValueError(f"there is no form {name!r}. {hint}")
        return name

    @model_validator(mode="after")
    def _names_parts(self) -> "FormSpec":
        family = PRESETS[self.name].family
        for part in self.keys:
            if part not in PARTS[family]:
                raise ValueError(f"{self.name} has no part {part!r}; it has {listed(PARTS[family])}")
        for part in self.message_keys:
            if part not in MESSAGE_PARTS:
                raise ValueError(f"a turn has no part {part!r}; it has {listed(MESSAGE_PARTS)}")
        if (thinking := self.message_keys.get("thinking")) is not None:
            self._check_thinking(thinking)
        return self

    def _check_thinking(self, key: str) -> None:
        """Raises ValueError where thinking is never read from a turn's `key`."""
        if not self.has_turns:
            raise ValueError(f"rows of the form {self.name} have no turns that thinking could stand beside")
        if not key.strip():
            raise ValueError("the key of a turn's thinking is blank; name one, or leave thinking out")
        keys = self.form().message_keys
        part = next((part for part, theirs in keys.items() if theirs == key and part != "thinking"), None)
        if part is not None:
            raise ValueError(f"a turn's {key!r} is its {part}, so it is not its thinking, too")

    @property
    def has_turns(self) -> bool:
        """Whether rows of the form may hold turns, and not only texts."""
        return PRESETS[self.name].family not in _WITHOUT_TURNS

    def form(self) -> Form:
        """The form, with what differs laid over it."""
        preset = PRESETS[self.name]
        return Form(
            self.name,
            preset.family,
            {part: key for part, key in {**preset.keys, **self.keys}.items() if key},
            {**{part: part for part in MESSAGE_PARTS}, **preset.message_keys, **self.message_keys},
            {**preset.roles, **self.roles},
            {**preset.formats, **{str(name): text for name, text in self.formats.items()}},
            preset.alternating,
            self,
        )
