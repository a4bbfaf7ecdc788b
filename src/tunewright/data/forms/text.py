"""Text alone: Axolotl's completion and pretrain, LLaMA-Factory's pretraining rows. A row is a document."""

from typing import Any

from tunewright.data.forms._parts import Row, needed
from tunewright.data.forms.spec import Form


def read(row: Row, form: Form) -> dict[str, Any]:
    """The document, {"text"}. Raises BadRow."""
    return {"text": needed(row, form, "text")}
