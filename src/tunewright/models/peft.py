"""PEFT, without bitsandbytes where nobody asked for that.

    from tunewright.models.peft import LoraConfig

PEFT takes bitsandbytes along wherever it is installed, and with it torch's compiler: 1.5 of 7.5 CPU-seconds before the first
step. It is of use over a base in four bits alone, and there it has been imported by who loaded the base.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager

_NAME = "bitsandbytes"


@contextmanager
def without_bitsandbytes() -> Iterator[None]:
    """While it lasts, what looks for bitsandbytes finds none, unless it has been imported before."""
    if _NAME in sys.modules:
        yield
        return
    sys.modules[_NAME] = None  # type: ignore[assignment]  # as Python says that a module is not to be imported
    try:
        yield
    finally:
        del sys.modules[_NAME]
        _look_again()


def _look_again() -> None:
    """Let libraries forget that they found none."""
    from peft import import_utils
    from transformers.utils.import_utils import is_bitsandbytes_available

    for asked in (
        import_utils.is_bnb_available, import_utils.is_bnb_4bit_available, is_bitsandbytes_available,
    ):  # fmt: skip
        if hasattr(asked, "cache_clear"):
            asked.cache_clear()


with without_bitsandbytes():
    from peft import LoraConfig, PeftConfig, get_peft_model, set_peft_model_state_dict
    from peft.tuners.lora.layer import Linear as LoraLinear
    from peft.tuners.lora.layer import LoraLayer
    from peft.tuners.tuners_utils import BaseTunerLayer

__all__ = [
    "BaseTunerLayer", "LoraConfig", "LoraLayer", "LoraLinear", "PeftConfig", "get_peft_model",
    "set_peft_model_state_dict", "without_bitsandbytes",
]  # fmt: skip
