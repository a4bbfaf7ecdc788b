"""From a variant's description to the generator that answers as it says."""

from functools import lru_cache
from pathlib import Path

from tunewright.core.errors import ModelError
from tunewright.core.generation import Generator
from tunewright.generate.prompted import Prompted
from tunewright.generate.torch import TorchGenerator
from tunewright.generate.variant import Variant
from tunewright.models.base import Base


def load_variant(
    variant: Variant, base: Base, *, root: Path | None = None, template: str | None = None
) -> Generator:
    """The generator a variant describes; an adapter's folder is looked for below `root`.

    Variants without an adapter share one loaded base. The decoding is the caller's to pass. `template` is the hash of the
    template it was proven with. Raises ModelError when `base` is not the variant's base, renders by another template, or
    base or adapter cannot be loaded.
    """
    if variant.base_hash != base.hash:
        raise ModelError(
            f"The variant {variant.name} was made with another content of the base {base.ref}.",
            where=str(base.path),
            fix="Bring back the base it was made with, or make it anew.",
        )
    folder = None if variant.adapter is None else (root or Path()) / variant.adapter
    model = TorchGenerator(base, folder) if folder else _bare(base)
    if template is not None and template != model.template_hash:
        raise ModelError(
            f"The variant {variant.name} was proven with another chat template than the base {base.ref} is given here.",
            where=str(base.path),
            fix="Use the version of Tunewright that made it, or run the project again.",
        )
    return Prompted(model, variant.system, variant.shots) if variant.system or variant.shots else model


def load_local(base: Base, adapter: Path | None = None) -> Generator:
    """A base as it is, or with an adapter, to answer what it is asked. Raises ModelError where it cannot be loaded."""
    return TorchGenerator(base, adapter) if adapter else _bare(base)


def bare(variant: Variant) -> Variant:
    """The variant without its task's prompt and schema, for suites whose conversations come complete.

    Worked examples stay: without them, few-shot would be the base.
    """
    free = variant.decoding.model_copy(update={"json_schema": None})
    return variant.model_copy(update={"system": "", "decoding": free})


@lru_cache(maxsize=1)
def _bare(base: Base) -> TorchGenerator:
    return TorchGenerator(base)
