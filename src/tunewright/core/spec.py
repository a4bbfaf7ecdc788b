"""Spec: the root of every settings model. Frozen, unknown keys and endless numbers refused, docs under the fields."""

from pydantic import BaseModel, ConfigDict


class Spec(BaseModel):
    """Settings. The docstring under a field is its help, its comment in the file and its text in the schema."""

    model_config = ConfigDict(
        frozen=True,
        extra="forbid",
        allow_inf_nan=False,  # no comparison holds against NaN, and each against infinity: a gate would be off in silence
        use_attribute_docstrings=True,
        protected_namespaces=(),
    )
