"""TaskSpec: what the model is to do, as the project file names it."""

from typing import Annotated, Any, Literal

from pydantic import Field

from tunewright.core.spec import Spec


class TextOutput(Spec):
    """The answer is plain text."""

    type: Literal["text"] = "text"
    """What an answer is: text or json."""


class JsonOutput(Spec):
    """The answer is one JSON value that a JSON Schema describes."""

    type: Literal["json"] = "json"
    """What an answer is: text or json."""
    schema_: dict[str, Any] | str = Field(alias="schema")
    """The JSON Schema: written in place, or the path of a .json file beside the project file."""


class TaskSpec(Spec):
    """The task: what is said to the model, and what a right answer is."""

    system: str = ""
    """The system prompt, the same in training, evals and serving."""
    input: str = "{{ input }}"
    """The user's message: a Jinja template over the row's mapped columns. Chat rows bring their own messages."""
    output: Annotated[TextOutput | JsonOutput, Field(discriminator="type")] = TextOutput()
    """What an answer is: text, or JSON by a schema."""
