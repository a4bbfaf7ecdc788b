"""The embedded base model: a small decoder of our own that ships with the package.

`PATH` is a folder that transformers, vLLM and llama.cpp's converter read: Qwen3 architecture, byte-level BPE, ChatML.
It was trained by `python -m tunewright.models.embedded.build`; `docs/embedded-base.md` is its card.
"""

from pathlib import Path

PATH = Path(__file__).parent / "weights"
"""Where the weights, the tokenizer and the chat template lie."""
