"""Models: loading, tokenizer and chat template, memory estimate, adapters, the embedded base model."""
