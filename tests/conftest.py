"""Fixtures that several rooms share."""

import signal
from pathlib import Path

import pytest

from tiny import save_model
from tunewright.models.base import Base, resolve_base

# a shell's background jobs ignore Ctrl-C, and so would every process that a test starts and interrupts
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session")
def tiny_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a tiny random Qwen3 model and a byte-level tokenizer with a ChatML template."""
    return save_model(tmp_path_factory.mktemp("tiny") / "qwen3")


@pytest.fixture(scope="session")
def tiny_base(tiny_folder: Path) -> Base:
    """The tiny model as a base."""
    return resolve_base(str(tiny_folder), tiny_folder)


@pytest.fixture(scope="session")
def tiny_renderer(tiny_base: Base):
    """The renderer of the tiny model."""
    from tunewright.models.load import load_tokenizer
    from tunewright.models.template import Renderer

    return Renderer(load_tokenizer(tiny_base))
