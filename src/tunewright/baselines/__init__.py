"""Baselines: the rivals a fine-tune must beat, each a way to ask the untouched base. One file for each kind."""
