"""Settings of the baselines: the rivals a fine-tune must beat."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from tunewright.core.spec import Spec


class BaselinesSpec(Spec):
    """The rivals. Each is measured on the same examples as the fine-tune."""

    prompt: bool = True
    """The base with the task's system prompt alone."""
    few_shot: tuple[Annotated[int, Field(ge=1)], ...] = (2, 4)
    """Numbers of worked examples to try in the prompt; the best on dev is the rival. Empty: none."""
    dev_limit: int = Field(100, ge=1)
    """At most this many dev examples to choose the number of shots by."""
    seed: int = 0
    """Seeds the draw of the worked examples."""

    @model_validator(mode="after")
    def _has_a_rival(self) -> Self:
        if not self.prompt and not self.few_shot:
            raise ValueError(
                "with prompt: false and no few_shot there is no rival to compare the fine-tune with; keep one of them"
            )
        return self
