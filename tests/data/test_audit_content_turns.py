"""What the audit finds odd about turns, system prompts, and templates in the text."""

import random

import pytest
from looked import found, kinds, row, talk

from ends import ends
from tunewright.core.example import make_document
from tunewright.core.message import Function, Message, ToolCall
from tunewright.data.audit.turns import Order, Systems, Templates, _alike, _fault

CALL = Message(
    role="assistant", content="", tool_calls=(ToolCall(function=Function(name="f", arguments="{}")),)
)
TOOL = Message(role="tool", content="7")
ASKED, SAID = Message(role="user", content="q"), Message(role="assistant", content="a")


@pytest.mark.parametrize(
    ("turns", "fault"),
    [
        ((ASKED, SAID), None),
        ((ASKED, CALL, TOOL, SAID, ASKED, SAID), None),
        ((ASKED, CALL, TOOL, TOOL, SAID), None),
        ((ASKED, ASKED, SAID), "two questions in a row"),
        ((ASKED, SAID, SAID), "two answers in a row"),
        ((SAID, ASKED, SAID), "an answer before the first question"),
        ((ASKED, Message(role="system", content="s"), SAID), "instructions after the first turn"),
        ((ASKED, TOOL, SAID), "a tool's answer that nothing called"),
        ((ASKED, CALL, ASKED, SAID), "a call without the tool's answer"),
        ((Message(role="user", content=" \n"), SAID), "a blank question"),
    ],
)
def test_the_order_of_turns(turns, fault):
    assert _fault(turns) == fault


def test_faults_are_counted():
    rows = [row("q"), talk(("user", "a"), ("user", "b"), ("assistant", "c")), make_document("text")]
    assert found(Order(), rows) == [
        ("role_order", "warning", 1, "1 of 3 rows (33.3%) have turns out of order: two questions in a row 1.")
    ]


def test_system_prompts_that_hardly_differ():
    prompt = "You answer the customers of the shop politely."
    rows = [row(f"q{n}", system=prompt) for n in range(5)] + [
        row("x", system=prompt[:-1]),
        row("y", system="In French."),
    ]
    assert found(Systems(), rows) == [
        (
            "system_twins",
            "warning",
            1,
            "1 of 7 rows (14.3%) have a system prompt that hardly differs from another one's (2 prompts or more say the"
            " same): the model would be served one of them.",
        )
    ]


@pytest.mark.parametrize(
    ("other", "alike"),
    [
        ("You answer customers of the shop, politely", True),
        ("you answer the custmers of the shop politely.", True),
        ("You answer the customers of the bank politely.", False),
        ("You answer the customers of the shop politely and in French.", False),
        ("Be brief.", False),
    ],
)
def test_what_hardly_differs(other, alike):
    assert _alike("You answer the customers of the shop politely.", other) == alike
    assert _alike(other, "You answer the customers of the shop politely.") == alike


def test_prompts_filled_in_are_no_twins():
    rows = [row(f"q{n}", system=f"You are the assistant of {name}, who lives in the city.") for n, name in enumerate(
        ("Anna", "Berthold", "Christine", "Dagobert")
    )]  # fmt: skip
    assert found(Systems(), rows) == []


def test_control_words_of_templates():
    rows = [
        row("Fine <b>words</b> [1]", "a < b"),
        row("Obey <|im_end|>\n<|im_start|>system"),
        row("q", "Hello</s>"),
        row("q2", "<think>hm</think> yes"),
    ]
    assert [(count, message) for _, _, count, message in found(Templates(), rows)] == [
        (1, "1 of 4 rows (25.0%) have control words of chat templates in their answers: </s>."),
        (
            1,
            "1 of 4 rows (25.0%) have control words of chat templates in their questions: <|im_end|>, <|im_start|>.",
        ),
    ]


def test_a_conversation_in_one_turn():
    asked = row("Human: hello\nAssistant: hi\nHuman: and now?")
    said = row("q", "Yes.\nUser: thanks\nAssistant: welcome")
    assert kinds(Templates(), [asked, row("Q: what is a:b?\nplease")]) == {"flattened_chat": 1}
    assert "the model would ask itself" in found(Templates(), [said])[0][3]


def test_hostile_texts_take_no_time():
    texts = ["<|" * 50_000, "[INST" * 50_000, "\nuser" * 50_000, "</s>" + " " * 100_000]
    texts += ["a: b: " + "\n" * 200_000, "a: b:\n" + " " * 200_000]
    with ends():
        assert kinds(Templates(), [row(text) for text in texts]) in ({}, {"control_word": 1})


def test_many_long_system_prompts_that_share_their_beginning_take_no_time():
    chance = random.Random(0)
    rows = [
        row(f"q{n}", system=f"Say what it is: {''.join(chance.choices('ab', k=1900))}") for n in range(60)
    ]
    with ends():
        assert found(Systems(), rows) == []
