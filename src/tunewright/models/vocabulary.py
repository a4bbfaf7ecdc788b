"""New words: a token each at the end of the base's vocabulary, whose embedding begins as the mean of its pieces'.

add_words(tokenizer, ["Velora"])      the tokenizer writes it as one token from now on
pieces(tokenizer, ["Velora"])         {id: the ids it was written with before}
make_room(model, len(tokenizer))      and begin(model, pieces): the model has a row for it
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from tokenizers import AddedToken

from tunewright.core.errors import ModelError

_WHERE = "train.adapter.new_words"


def add_words(tokenizer: Any, words: Iterable[str]) -> None:
    """Let the tokenizer write each word as one token, where it stands by itself.

    Raises ModelError for a word that is one token already.
    """
    for word in words:
        if len(tokenizer(word, add_special_tokens=False)["input_ids"]) == 1:
            raise ModelError(
                f"{word!r} is one token of the base's already", where=_WHERE, fix="Take it out of the list."
            )
    tokenizer.add_tokens([AddedToken(word, single_word=True, normalized=False) for word in words])


def pieces(tokenizer: Any, plain: Any, words: Sequence[str]) -> dict[int, list[int]]:
    """Each word's token in `tokenizer`, with the tokens that `plain`, which lacks it, writes it with."""
    ids = tokenizer.convert_tokens_to_ids(list(words))
    return {
        token: plain(word, add_special_tokens=False)["input_ids"]
        for token, word in zip(ids, words, strict=True)
    }


def make_room(model: Any, size: int) -> None:
    """Let the model have embeddings, and outputs, for at least so many tokens."""
    if model.get_input_embeddings().weight.shape[0] < size:
        model.resize_token_embeddings(size, mean_resizing=False)


@torch.no_grad()
def begin(model: Any, parts: Mapping[int, Sequence[int]]) -> None:
    """Set each token's embedding, and its row of the head, to the mean of its parts'."""
    head = model.get_output_embeddings()
    for layer in (model.get_input_embeddings(), head):
        if layer is not None:
            weight = layer.weight
            for token, ids in parts.items():
                weight[token] = weight[list(ids)].mean(0)
