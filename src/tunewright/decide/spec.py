"""Settings of the decision: gates and prices."""

from typing import Annotated

from pydantic import AfterValidator, Field

from tunewright.core.spec import Spec


def _share(value: float) -> float:
    if not 0 <= value <= 1:
        hint = f": {value:g} % is {value / 100:g}" if 1 < value <= 100 else ""
        raise ValueError(f"a score lies between 0 and 1, and {value:g} does not{hint}")
    return value


_Share = Annotated[float, AfterValidator(_share), Field(json_schema_extra={"minimum": 0, "maximum": 1})]


class GatesSpec(Spec):
    """What must hold before a fine-tune is released. Points are hundredths of a score."""

    beats_baselines: bool = True
    """The fine-tune's headline score is better than every baseline's, with an interval that leaves zero out."""
    worthwhile_gain: float = Field(1.0, gt=0)
    """The least gain worth having, in points. When even this much is ruled out, the fine-tune does not help."""
    min_scores: dict[str, _Share] = Field({})
    """Grader → the least mean score on the target suite: {json_schema: 0.99}."""
    max_general_loss: float = Field(3.0, ge=0)
    """The most points the general suite may lose against the base."""
    max_slice_loss: float = Field(10.0, ge=0)
    """The most points any slice with enough examples may lose against the best baseline."""
    confidence: float = Field(0.95, gt=0.5, lt=1)
    """The confidence of every interval."""


class PriceSpec(Spec):
    """What a variant's tokens and time cost. Zero leaves cost out of the report."""

    input_per_million: float = Field(0.0, ge=0)
    """Price of a million tokens in."""
    output_per_million: float = Field(0.0, ge=0)
    """Price of a million tokens out."""
    machine_per_hour: float = Field(0.0, ge=0)
    """Price of the machine that serves, an hour. Training is told at the same price as it goes."""
    currency: str = "USD"
    """The currency, as shown."""
