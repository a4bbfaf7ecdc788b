"""PEFT takes bitsandbytes along where a base in four bits asks for it, and not before."""

import subprocess
import sys
from importlib.util import find_spec

import pytest

TRIED = """
import sys
from pathlib import Path
import torch
from tunewright.models.base import resolve_base
from tunewright.train.spec import AdapterSpec
from tunewright.train.weights import prepare

base = resolve_base(sys.argv[1], Path())
for kind in ("lora", "qlora", "lora"):
    model = prepare(base, AdapterSpec(kind=kind, rank=4), torch.device("cpu"), 0, torch.float32)
    layer = model.get_base_model().model.layers[0].self_attn.q_proj
    print(kind, type(layer).__name__, type(layer.base_layer).__name__, "bitsandbytes" in sys.modules)
    model(input_ids=torch.tensor([[1, 2, 3]])).logits.sum().backward()
"""


@pytest.mark.skipif(find_spec("bitsandbytes") is None, reason="needs bitsandbytes")
def test_bitsandbytes_comes_with_the_first_four_bits(tiny_base) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TRIED, str(tiny_base.path)], capture_output=True, text=True, check=False
    )
    assert done.stdout.splitlines() == [
        "lora Linear Linear False",
        "qlora Linear4bit Unpacked True",
        "lora Linear Linear True",
    ], done.stderr[-2000:]
