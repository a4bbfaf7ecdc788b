"""Expected answers that call tools, as the model writes them: a reply is text, with calls in the chat template's form."""

from typing import TYPE_CHECKING

from tunewright.core.errors import ModelError
from tunewright.core.example import Example
from tunewright.core.message import Message, with_system
from tunewright.evals.suite import Suite

if TYPE_CHECKING:
    from tunewright.models.template import Renderer


def has_calls(suite: Suite) -> bool:
    """Whether an example of the suite is to be answered by a call."""
    return any(example.messages[-1].tool_calls for example in suite.examples)


def as_written(suite: Suite, renderer: "Renderer", system: str) -> Suite:
    """The suite with every expected call in the template's form, so that graders compare like with like.

    Raises ModelError, which names the row, where the template refuses an example.
    """
    return suite._replace(examples=tuple(_written(example, renderer, system) for example in suite.examples))


def _written(example: Example, renderer: "Renderer", system: str) -> Example:
    if not example.messages[-1].tool_calls:
        return example
    try:
        text = renderer.answer(with_system(example.messages, system))
    except ModelError as error:
        raise ModelError(error.message, where=example.place, fix=error.fix) from error
    return example.model_copy(update={"messages": (*example.prompt, Message(role="assistant", content=text))})
