"""Rows that ask nearly the same, for a split that is to keep them together."""

from collections.abc import Sequence
from itertools import dropwhile

import numpy as np
import numpy.typing as npt

from tunewright.core.example import Example
from tunewright.data.examples import Texts

THRESHOLD = 0.7
"""See data/near.py: what the operation `drop_near_duplicates` takes for near."""


def near_rows(examples: Sequence[Example]) -> npt.NDArray[np.int64]:
    """For each row the place of the first one that it is tied to. (n,)"""
    from tunewright.data.near import near_chains

    return near_chains(Texts(examples, _asked), threshold=THRESHOLD)


def _asked(example: Example) -> str:
    if example.is_document:
        return example.expected
    prompt = example.prompt
    turns = list(dropwhile(lambda message: message.instructs, prompt)) or list(prompt)
    return "\n".join(message.said for message in turns)
