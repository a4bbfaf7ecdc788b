"""Putting PEFT's adapter modules around a model's layers, without what PEFT and transformers say to each other."""

import warnings
from typing import Any


def attach(model: Any, config: Any) -> Any:
    """The model with the adapter that `config` (a PeftConfig) describes. Raises what PEFT raises, ValueError mostly."""
    from tunewright.models.peft import get_peft_model, without_bitsandbytes

    with without_bitsandbytes(), warnings.catch_warnings():
        # PEFT asks a property that transformers has renamed; neither is the user's to mend
        warnings.filterwarnings("ignore", message=".*is_gradient_checkpointing", category=FutureWarning)
        # of experts stacked in one tensor, which PEFT looks for among modules: the pattern is taken all the same
        warnings.filterwarnings("ignore", message="The following .*_pattern keys", category=RuntimeWarning)
        return get_peft_model(model, config)
