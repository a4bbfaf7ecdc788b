"""Models: loading, tokenizer and chat template, memory estimate, adapters, the embedded base model."""

import logging

# peft brings in bitsandbytes where it is installed, which tells of a kernel for answering that it would fetch from the hub
logging.getLogger("bitsandbytes.backends.cpu.ops").setLevel(logging.ERROR)
