"""TRL's own functions as the oracle: the same rows part into the same prompts and answers."""

import os
import warnings
from copy import deepcopy
from typing import Any

import pytest

from tunewright.data.forms import FormSpec, convert

os.environ["TRL_EXPERIMENTAL_SILENCE"] = "1"
U, A, B = (
    {"role": role, "content": text} for role, text in (("user", "Q"), ("assistant", "A"), ("assistant", "B"))
)


@pytest.fixture(scope="module")
def trl() -> Any:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from trl import data_utils
    return data_utils


@pytest.mark.parametrize(
    ("chosen", "rejected"),
    [([U, A], [U, B]), ([U, A, U, A], [U, A, U, B]), ("The sky is blue.", "The sky is green.")],
)
def test_the_shared_prompt_of_a_pair(trl: Any, chosen: Any, rejected: Any) -> None:
    theirs = trl.extract_prompt({"chosen": chosen, "rejected": rejected})
    ours = convert({"chosen": chosen, "rejected": rejected}, FormSpec(name="trl"))
    prompt, answers = ours["messages"][:-1], [ours["messages"][-1], ours["rejected"]]
    if isinstance(chosen, str):  # a turn begins without the blank that parts words
        assert prompt == [{"role": "user", "content": theirs["prompt"]}]
        assert [answers[0]["content"], answers[1]] == [
            theirs[side].lstrip() for side in ("chosen", "rejected")
        ]
    else:
        assert prompt == theirs["prompt"]
        assert [[answers[0]], answers[1]] == [theirs["chosen"], theirs["rejected"]]


def test_a_word_is_not_cut_as_theirs_is(trl: Any) -> None:
    row = {"chosen": "It is black.", "rejected": "It is blue."}
    assert trl.extract_prompt(row)["prompt"] == "It is bl"
    assert convert(row, FormSpec(name="trl"))["messages"][0]["content"] == "It is"


def test_sharegpt_roles_become_roles(trl: Any) -> None:
    row = {"conversations": [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]}
    theirs = trl.maybe_convert_to_chatml(deepcopy(row))["messages"]
    assert [turn["role"] for turn in theirs] == ["human", "gpt"]
    assert convert(row, FormSpec(name="trl"))["messages"] == [U, A]


@pytest.mark.parametrize("rating", [True, False])
def test_pairs_and_ratings_say_the_same(trl: Any, rating: bool) -> None:
    """What TRL makes of a pair for KTO is a rated row, and converts to the same conversation."""
    from datasets import Dataset

    pair = Dataset.from_list([{"prompt": [U], "chosen": [A], "rejected": [B]}])
    (row,) = [each for each in trl.unpair_preference_dataset(pair) if each["label"] is rating]
    made = convert(row, FormSpec(name="trl"))
    assert (made["messages"], made["label"]) == ([U, A if rating else B], rating)
