"""Expected answers as the model writes them: a reply is text, with calls in the chat template's form, and without the empty
thinking part that the prompt has already."""

from typing import TYPE_CHECKING

from tunewright.core.errors import ModelError
from tunewright.core.example import Example
from tunewright.core.message import Message, with_system
from tunewright.evals.suite import Suite
from tunewright.models.thinking import thinks

if TYPE_CHECKING:
    from tunewright.models.template import Renderer


def hangs_on_template(suite: Suite) -> bool:
    """Whether an expected answer of the suite calls a tool, or has a thinking part."""
    answers = (example.messages[-1] for example in suite.examples)
    return any(answer.tool_calls or thinks(answer.content) for answer in answers)


def as_written(suite: Suite, renderer: "Renderer", system: str) -> Suite:
    """The suite with every expected answer as the template has it, so that graders compare like with like.

    Raises ModelError, which names the row, where the template refuses an example.
    """
    return suite._replace(examples=tuple(_written(example, renderer, system) for example in suite.examples))


def _written(example: Example, renderer: "Renderer", system: str) -> Example:
    answer = example.messages[-1]
    if not answer.tool_calls:
        said = renderer.said(answer.content)
        return example if said == answer.content else _answered(example, said)
    try:
        text = renderer.answer(with_system(example.messages, system))
    except ModelError as error:
        raise ModelError(error.message, where=example.place, fix=error.fix) from error
    return _answered(example, text)


def _answered(example: Example, text: str) -> Example:
    return example.model_copy(update={"messages": (*example.prompt, Message(role="assistant", content=text))})
