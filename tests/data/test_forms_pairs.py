"""Rows of other tools that say which answer is better, or how good one is: pairs, ranks, ratings, rated steps."""

from typing import Any

import pytest
from form_rows import FROM, A, B, S, U, said, turn

from tunewright.data.rows import BadRow


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("preference", {"prompt": "Q", "chosen": "A", "rejected": "B", "system": "S"}),
        (
            "dpo.argilla",
            {"system": "S", "instruction": "Q", "chosen_response": "A", "rejected_response": "B"},
        ),
        ("dpo.argilla_chat", {"chosen": [S, U, A], "rejected": [S, U, B]}),
        ("dpo.icr", {"system": "S", "input": "Q", "chosen": "A", "rejected": "B"}),
        ("dpo.intel", {"system": "S", "question": "Q", "chosen": "A", "rejected": "B"}),
        ("dpo.ultra", {"system": "S", "prompt": "Q", "chosen": [U, A], "rejected": [U, B]}),
        ("dpo.chat_template", {"messages": [S, U], "chosen": A, "rejected": B}),
        ("dpo.chat_template", {"messages": [S, U], "chosen": "A", "rejected": [B]}),
        ("orpo.chat_template", {"system": "S", "chosen": [U, A], "rejected": [U, B]}),
        ("bradley_terry", {"system": "S", "input": "Q", "chosen": "A", "rejected": "B"}),
        ("torchtune.preference", {"chosen_conversations": [S, U, A], "rejected_conversations": [S, U, B]}),
        ("trl", {"prompt": [S, U], "chosen": [A], "rejected": [B]}),
        ("trl", {"chosen": [S, U, A], "rejected": [S, U, B]}),
        ("trl", {"prompt": "Q", "chosen": [S, U, A], "rejected": [S, U, B]}),
        ("openai", {"input": {"messages": [S, U]}, "preferred_output": [A], "non_preferred_output": [B]}),
    ],
)
def test_a_pair(name: str, row: dict[str, Any]) -> None:
    assert said(row, name) == {"messages": [S, U, A], "rejected": [B]}


def test_a_pair_of_long_conversations() -> None:
    """Axolotl takes the first exchange of each side alone."""
    talk = [U, turn("assistant", "a"), turn("user", "q")]
    row = {"prompt": "Q", "chosen": [*talk, A], "rejected": [*talk, B]}
    assert said(row, "dpo.ultra") == {"messages": [*talk, A], "rejected": [B]}


def test_pairs_of_llamafactory() -> None:
    keys = {"chosen": "chosen", "rejected": "rejected"}
    alpaca = {"instruction": "Q", "input": "", "chosen": "A", "rejected": "B"}
    assert said(alpaca, "llamafactory.alpaca", keys=keys) == {"messages": [U, A], "rejected": [B]}
    sides = {"chosen": FROM[1], "rejected": {"from": "gpt", "value": "B"}}
    sharegpt = {"conversations": FROM[:1], **sides}
    assert said(sharegpt, "llamafactory.sharegpt", keys=keys) == {"messages": [U, A], "rejected": [B]}


def test_pairs_that_begin_alike() -> None:
    spoken = "\n\nHuman: Q\n\nAssistant: "
    assert said({"chosen": f"{spoken}A", "rejected": f"{spoken}B"}, "trl") == {
        "messages": [U, A],
        "rejected": [B],
    }
    cut_before_the_word = said({"chosen": "The sky is blue.", "rejected": "The sky is black."}, "trl")
    assert cut_before_the_word == {
        "messages": [turn("user", "The sky is"), turn("assistant", "blue.")],
        "rejected": "black.",
    }
    with pytest.raises(BadRow, match="share no beginning"):
        said({"chosen": "Yes", "rejected": "No"}, "trl")
    with pytest.raises(BadRow, match="nothing of one text is left"):
        said({"chosen": "It is.", "rejected": "It is. So"}, "trl")


def test_ranked_answers_need_to_be_told_which_rank_is_best() -> None:
    answers = [{"answer": text, "rank": rank} for text, rank in (("B", 3), ("A", 1), ("C", 2))]
    row = {"prompt": "Q", "answers": answers}
    assert said(row, "dpo.nectar", best="lowest") == {"messages": [U, A], "rejected": [B]}
    assert said(row, "dpo.nectar", best="highest") == {"messages": [U, B], "rejected": [A]}
    with pytest.raises(BadRow, match=r"set form\.best to lowest or highest"):
        said(row, "dpo.nectar")


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("rated", {"prompt": "Q", "completion": "A", "label": False}),
        ("kto.argilla", {"instruction": "Q", "completion": "A", "label": False}),
        ("kto.intel", {"question": "Q", "completion": "A", "label": 0}),
        ("kto.argilla_chat", {"completion": [U, A], "label": False}),
        ("trl", {"prompt": [U], "completion": [A], "label": False}),
    ],
)
def test_a_rated_answer(name: str, row: dict[str, Any]) -> None:
    assert said(row, name) == {"messages": [U, A], "label": False}


def test_rated_rows_of_llamafactory() -> None:
    keys = {"rating": "kto_tag"}
    row = {"conversations": FROM, "kto_tag": True}
    assert said(row, "llamafactory.sharegpt", keys=keys) == {"messages": [U, A], "label": True}
    with pytest.raises(BadRow, match="missing column: no 'kto_tag'"):
        said({"conversations": FROM}, "llamafactory.sharegpt", keys=keys)


def test_an_answer_keeps_its_blanks() -> None:
    """Axolotl's DPO looks for the answer in a template that trims it, and trains what it then finds: `>`, or nothing."""
    row = {"messages": [U], "chosen": turn("assistant", " A\n"), "rejected": turn("assistant", "\nB ")}
    made = said(row, "dpo.chat_template")
    assert (made["messages"][-1]["content"], made["rejected"][0]["content"]) == (" A\n", "\nB ")


def test_rated_steps_are_one_rated_answer() -> None:
    row = {"prompt": "2+2*3?", "completions": ["2*3=6", "2+6=9"], "labels": [True, False], "index": 3}
    answer = {"role": "assistant", "content": "2*3=6\n2+6=9"}
    made = {"messages": [{"role": "user", "content": "2+2*3?"}, answer], "index": 3}
    assert said(row, "stepwise") == {
        **made,
        "label": False,
        "completions": ["2*3=6", "2+6=9"],
        "labels": [True, False],
    }
    good = {**row, "labels": [True, 1]}
    assert said(good, "stepwise") == {
        **made,
        "label": True,
        "completions": ["2*3=6", "2+6=9"],
        "labels": [True, 1],
    }
    renamed = {"prompt": "2+2*3?", "completion": ["2*3=6", "2+6=9"], "label": [True, True], "index": 3}
    keys = {"completions": "completion", "labels": "label"}
    assert said(renamed, "stepwise", keys=keys) == {
        **made,
        "label": True,
        "other_completion": ["2*3=6", "2+6=9"],
        "other_label": [True, True],
    }
