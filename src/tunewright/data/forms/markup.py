"""What chat templates put around turns. Inside a text of a row it would stand there twice."""

import re

MARKUP = re.compile(
    r"<\|[^|<>\s]{1,40}\|>|\[/?INST\]|<</?SYS>>|</?s>|<(?:start|end)_of_turn>|<(?:bos|eos)>|###\s*(?:Response|Assistant):"
)
"""The markup of the usual families."""
