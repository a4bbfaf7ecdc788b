"""Rows of other tools become chat rows, whole, or are refused with the reason."""

from pathlib import Path
from typing import Any

import pytest
from form_rows import FROM, A, B, S, U, said, turn
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from ruamel.yaml import YAML

from tunewright.data.forms import PRESETS, FormSpec
from tunewright.data.forms.presets import PARTS
from tunewright.data.rows import BadRow

CALL = {"name": "add", "arguments": {"a": 1}}
TOOLS = [{"type": "function", "function": {"name": "add", "parameters": {"type": "object"}}}]


@pytest.mark.parametrize(
    ("name", "row", "asked", "answer"),
    [
        ("alpaca", {"instruction": "Q", "input": "x", "output": "A"}, "Q\nx", "A"),
        ("alpaca", {"instruction": "Q", "input": "", "output": "A"}, "Q", "A"),
        ("alpaca", {"instruction": "", "input": "x", "output": "A"}, "x", "A"),
        ("llamafactory.alpaca", {"instruction": "Q", "output": " A\n"}, "Q", " A\n"),
        ("alpaca_chat", {"instruction": "Q", "input": "x", "response": "A"}, "Q\nx", "A"),
        ("gpteacher", {"instruction": "Q", "response": "A"}, "Q", "A"),
        ("oasst", {"INSTRUCTION": "Q", "RESPONSE": "A"}, "Q", "A"),
        ("alpaca_chat.load_qa", {"question": "Q", "answer": "A"}, "Q", "A"),
        ("alpaca_chat.load_camel_ai", {"message_1": "Q", "message_2": "A"}, "Q", "A"),
        ("metharme", {"prompt": "Q", "generation": "A"}, "Q", "A"),
        ("gpt4all", {"prompt": "Q", "response": "A"}, "Q", "A"),
        ("torchtune.instruct", {"input": "Q", "output": "A"}, "Q", "A"),
        ("jeopardy", {"question": "Q", "category": "c", "answer": "A"}, "Q\nc", "what is A"),
        (
            "summarizetldr",
            {"article": "Q", "summary": "A"},
            "Summarize the following article as a TL;DR.\nQ",
            "A",
        ),
        (
            "explainchoice",
            {"question": "Q", "choices": ["x", "y"], "explanation": "A"},
            'Q\n- "x"\n- "y"',
            "A",
        ),
        ("concisechoice", {"question": "Q", "choices": ["x"], "solution": "A"}, 'Q\n- "x"', "A"),
        ("context_qa", {"article": "x", "question": "Q", "answer": "A"}, "x\n===\nQ", "A"),
        (
            "context_qa.load_v2",
            {"context": "x", "question": "Q", "answer": "A"},
            "Context: x\nQuestion: Q\n",
            "Answer: A",
        ),
        (
            "reflection",
            {"instruction": "Q", "output": "x", "reflection": "y", "corrected": "z"},
            "Q",
            "### Thought:\nx\n\n### Agent Reflection:\ny\n\n### Final Response:\nz",
        ),
        ("creative_acr.load_answer", {"instruction": "Q", "revision": "A"}, "Q", "A"),
        ("trl", {"prompt": "Q", "completion": "A"}, "Q", "A"),
        ("mlx", {"prompt": "Q", "completion": "A"}, "Q", "A"),
        (
            "input_output",
            {"segments": [{"label": False, "text": "Q"}, {"label": True, "text": "A"}]},
            "Q",
            "A",
        ),
    ],
)
def test_a_question_and_its_answer(name: str, row: dict[str, Any], asked: str, answer: str) -> None:
    assert said(row, name) == {"messages": [turn("user", asked), turn("assistant", answer)]}


def test_a_system_message_a_history_and_tools_beside_an_instruction() -> None:
    row = {"instruction": "Q", "output": "A", "system": "S", "history": [["q", "a"]], "tools": TOOLS}
    earlier = [turn("user", "q"), turn("assistant", "a")]
    assert said(row, "alpaca") == {"messages": [S, *earlier, U, A], "tools": TOOLS}
    last = said(row, "alpaca", trained="last")["messages"]
    assert last == [S, earlier[0], turn("assistant", "a", weight=0), U, A]
    orca = {"system_prompt": "S", "question": "Q", "response": "A"}
    assert said(orca, "alpaca_w_system.load_open_orca") == {"messages": [S, U, A]}


def test_keys_formats_and_a_system_message_of_ones_own() -> None:
    row = {"ask": "Q", "more": "x", "say": "A"}
    keys = {"instruction": "ask", "input": "more", "output": "say"}
    formats = {"user": "[{input}] {instruction} {other}", "user_alone": "! {instruction}"}
    made = said(row, "alpaca", keys=keys, formats=formats, system="S")
    assert made == {"messages": [S, turn("user", "[x] Q {other}"), A]}
    assert (
        said({**row, "more": None}, "alpaca", keys=keys, formats=formats)["messages"][0]["content"] == "! Q"
    )
    assert said({"instruction": "Q", "input": "x", "output": "A"}, "alpaca", keys={"input": ""}) == {
        "messages": [U, A],
        "other_input": "x",
    }
    answered = said(
        {"article": "x", "unanswerable_question": "Q"}, "context_qa.load_404", formats={"answer": "A"}
    )
    assert answered == {"messages": [turn("user", "x\n===\nQ"), A]}


def test_a_question_that_is_not_answered_there() -> None:
    row = {"article": "x", "unanswerable_question": "Q"}
    asked, answer = said(row, "context_qa.load_404")["messages"]
    assert asked == turn("user", "x\n===\nQ")
    assert answer["content"].endswith("unable to answer your question based on the given context.")


CRITICISED = {
    "instruction": "Why {answer}?",
    "answer": "So.",
    "scores": {"wit": 2, "care": 9},
    "critiques": {"wit": {"explanation": "Dry: it says nothing.", "improvements": "Näher"}},
}
EVALUATION = "care: 9\nwit: 2\nwit:\n  explanation: 'Dry: it says nothing.'\n  improvements: Näher\n"


def test_critiques_and_what_was_revised_by_them() -> None:
    row = {**CRITICISED, "revision": "Because."}
    asked = "Why {answer}?|So.|"
    formats = {"user": "{instruction}|{answer}|{evaluation}"}
    assert said(row, "creative_acr.load_critique", formats={"user": "{instruction}|{answer}|"}) == {
        "messages": [turn("user", asked), turn("assistant", EVALUATION)],
        "revision": "Because.",
    }
    assert said(row, "creative_acr.load_revise", formats=formats) == {
        "messages": [turn("user", asked + EVALUATION), turn("assistant", "Because.")]
    }
    asked, answered = said(row, "creative_acr.load_critique")["messages"]
    assert "the scores under `scores` and the rest under `critiques`" in asked["content"]
    assert YAML(typ="safe").load(answered["content"]) == {
        "scores": CRITICISED["scores"],
        "critiques": CRITICISED["critiques"],
    }
    assert list(YAML(typ="rt").load(answered["content"])) == ["scores", "critiques"]
    revised = said(row, "creative_acr.load_revise")["messages"]
    assert revised[0]["content"].endswith(f"Evaluation:\n{answered['content']}")
    for name in ("creative_acr.load_critique", "creative_acr.load_revise"):
        assert "Question: Why {answer}?\nAnswer: So." in said(row, name)["messages"][0]["content"]


def test_channels_that_are_not_of_thoughts() -> None:
    """Harmony calls tools in `commentary` and answers in `final`."""
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    tool = turn("tool", "5", tool_call_id="c1")
    calls = turn("assistant", "", tool_calls=[call])
    told = {"channel": "commentary"}
    marked = [U, {**calls, **told}, {**tool, **told}, turn("assistant", "A", channel="final")]
    assert said({"messages": marked}, "openai") == {"messages": [U, calls, tool, A]}


def test_prompts_alone_are_texts_for_seeds() -> None:
    assert said({"prompt": "Q"}, "completion", keys={"text": "prompt"}) == {"text": "Q"}


@pytest.mark.parametrize(
    ("name", "row"),
    [
        ("sharegpt", {"conversations": [{"from": "system", "value": "S"}, *FROM]}),
        ("sharegpt", {"conversations": FROM, "system": "S"}),
        ("sharegpt", {"conversations": [S, U, A]}),
        ("llamafactory.sharegpt", {"conversations": [{"from": "system", "value": "S"}, *FROM]}),
        ("llamafactory.openai", {"messages": [S, U, A]}),
        ("chat_template", {"messages": [S, turn("human", "Q"), turn("gpt", "A")]}),
        ("openai", {"messages": [S, U, A]}),
        ("trl", {"messages": [S, U, A]}),
        ("trl", {"conversations": [{"from": "system", "value": "S"}, *FROM]}),
        ("trl", {"prompt": [S, U], "completion": [A]}),
        (
            "pygmalion",
            {
                "conversations": [
                    {"role": "system", "value": "S"},
                    {"role": "human", "value": "Q"},
                    {"role": "bot", "value": "A"},
                ]
            },
        ),
    ],
)
def test_a_conversation(name: str, row: dict[str, Any]) -> None:
    assert said(row, name) == {"messages": [S, U, A]}


def test_who_speaks_may_be_called_anything() -> None:
    row = {"talk": [{"who": "kunde", "what": "Q"}, {"who": "wir", "what": "A"}]}
    spec = {
        "keys": {"messages": "talk"},
        "message_keys": {"role": "who", "content": "what"},
        "roles": {"kunde": "user", "wir": "assistant"},
    }
    assert said(row, "sharegpt", **spec) == {"messages": [U, A]}
    assert said({"messages": [S, U, A]}, "chat_template", drop_system=True) == {"messages": [U, A]}


def test_calls_of_tools() -> None:
    turns = [
        {"from": "human", "value": "Q"},
        {"from": "function_call", "value": '{"name": "add", "arguments": {"a": 1}}'},
        {"from": "observation", "value": "2"},
        {"from": "gpt", "value": "A"},
    ]
    calls = turn("assistant", "", tool_calls=[CALL])
    expected = {"messages": [U, calls, turn("tool", "2"), A], "tools": TOOLS}
    row = {"conversations": turns, "tools": TOOLS}
    assert said(row, "sharegpt") == expected
    assert said(row, "llamafactory.sharegpt", keys={"tools": "tools"}) == expected
    spoken = [*turns[:1], {"from": "gpt", "value": "", "function_call": CALL}, *turns[2:]]
    assert said({"conversations": spoken, "tools": TOOLS}, "sharegpt") == expected
    older = [U, turn("assistant", None, function_call=CALL), turn("function", "2", name="add"), A]
    assert said({"messages": older, "functions": [TOOLS[0]["function"]]}, "openai") == {
        "messages": [
            U,
            turn("assistant", None, tool_calls=[CALL]),
            turn("tool", "2", name="add"),
            A,
        ],
        "tools": [TOOLS[0]["function"]],
    }


def test_what_is_trained_of_a_conversation() -> None:
    assert (
        said({"messages": [U, turn("assistant", "A", weight=0), U, A]}, "openai")["messages"][1]["weight"]
        == 0
    )
    tinker = {"messages": [U, turn("assistant", "A", trainable=False), U, A]}
    assert said(tinker, "tinker")["messages"] == [U, turn("assistant", "A", train=False), U, A]
    flagged = {"messages": [U, turn("assistant", "A", train=False), U, A]}
    assert said(flagged, "chat_template", trained="last")["messages"][1] == turn("assistant", "A", weight=0)
    spans = [{"begin_offset": 0, "end_offset": 0, "train": False}]
    detail = {"messages": [U, turn("assistant", "A", train_detail=spans), U, A]}
    assert said(detail, "chat_template")["messages"][1] == turn("assistant", "A", weight=0)
    parts = [{"type": "text", "text": "A", "train": False}, {"type": "text", "text": "B", "train": False}]
    assert said({"messages": [U, turn("assistant", parts), U, A]}, "chat_template")["messages"][1] == turn(
        "assistant", "AB", weight=0
    )
    prompt = {"prompt": [U, B, U], "completion": [A]}
    assert said(prompt, "trl")["messages"] == [U, turn("assistant", "B", weight=0), U, A]


def test_documents_and_references() -> None:
    assert said({"text": "T", "url": "u"}, "completion") == {"text": "T", "url": "u"}
    assert said({"content": "T"}, "completion", keys={"text": "content"}) == {"text": "T"}
    assert said({"text": "T"}, "trl") == {"text": "T"}
    row = {"messages": [U], "reference": {"x": 1}}
    answer = turn("assistant", '{"x": 1}')
    assert said(row, "openai", keys={"answer": "reference"}) == {"messages": [U, answer]}
    with pytest.raises(BadRow, match=r"reinforcement files do; .*form\.keys\.answer"):
        said(row, "openai")


def test_rows_of_llamafactorys_version_1() -> None:
    def part(role: str, text: str, weight: float) -> dict[str, Any]:
        return turn(role, [{"type": "text", "value": text}], loss_weight=weight)

    asked, answer, worse = part("user", "Q", 0.0), part("assistant", "A", 1.0), part("assistant", "B", 1.0)
    user, good, bad = ({**each, "weight": weight} for each, weight in ((U, 0.0), (A, 1.0), (B, 1.0)))
    assert said({"messages": [asked, answer]}, "llamafactory.v1") == {"messages": [user, good]}
    pair = {"chosen_messages": [asked, answer], "rejected_messages": [asked, worse]}
    assert said(pair, "llamafactory.v1_pair") == {"messages": [user, good], "rejected": [bad]}


def test_a_key_that_is_not_read_in_this_row_is_kept() -> None:
    """A form's key is a field where the row's shape leaves it unread: a label beside messages says nothing in TRL."""
    assert said({"messages": [U, A], "label": "billing"}, "trl") == {
        "messages": [U, A],
        "other_label": "billing",
    }
    assert said({"text": "T", "label": 1, "prompt": None}, "trl") == {
        "text": "T",
        "other_label": 1,
        "other_prompt": None,
    }


def test_keys_that_no_form_names_are_kept() -> None:
    row = {"instruction": "Q", "output": "A", "label": 1, "source": "web", "text": "all of it"}
    assert said(row, "alpaca") == {
        "messages": [U, A],
        "other_label": 1,
        "source": "web",
        "other_text": "all of it",
    }


def test_prompts_without_answers_are_texts() -> None:
    user, system = {"role": "user", "content": "Q"}, {"role": "system", "content": "S"}
    assert said({"prompt": "Q", "answer": "4"}, "prompt_only") == {"text": "Q", "answer": "4"}
    assert said({"prompt": [user], "tools": "[]"}, "prompt_only") == {"text": "Q", "other_tools": "[]"}
    assert said({"prompt": [system, user]}, "prompt_only") == {"text": "Q", "system": "S"}


def test_a_form_is_checked() -> None:
    assert FormSpec.model_validate("alpaca") == FormSpec(name="alpaca")
    for wrong, reason in (
        ("alpacca", "there is no form 'alpacca'. Did you mean 'alpaca'?"),
        (
            {"name": "alpaca", "keys": {"messages": "m"}},
            "alpaca has no part 'messages'; it has system, instruction",
        ),
        ({"name": "sharegpt", "message_keys": {"who": "from"}}, "a turn has no part 'who'"),
        (
            {"name": "alpaca", "message_keys": {"thinking": "cot"}},
            "rows of the form alpaca have no turns that",
        ),
        (
            {"name": "openai", "message_keys": {"thinking": " "}},
            "the key of a turn's thinking is blank; name",
        ),
        ({"name": "openai", "message_keys": {"thinking": "weight"}}, "a turn's 'weight' is its weight, so"),
        (
            {"name": "sharegpt", "message_keys": {"content": "say", "thinking": "say"}},
            "a turn's 'say' is its content, so it is not its thinking, too",
        ),
    ):
        with pytest.raises(ValidationError) as caught:
            FormSpec.model_validate(wrong)
        assert reason in str(caught.value)


def test_its_json_schema_takes_the_name_alone() -> None:
    import jsonschema

    check = jsonschema.Draft202012Validator(FormSpec.model_json_schema())
    assert check.is_valid("sharegpt")
    assert check.is_valid({"name": "sharegpt", "trained": "last"})
    assert not check.is_valid("sharegtp")
    assert not check.is_valid({"name": "sharegpt", "train": "last"})


def test_the_page_has_every_form_as_it_is() -> None:
    page = (Path(__file__).parents[2] / "docs" / "importing.md").read_text("utf-8")
    listed = [line for line in page.splitlines() if line.startswith("| `") and line.count("|") == 4]
    for name, preset in PRESETS.items():
        keys = ", ".join(part if part == key else f"{part}: {key}" for part, key in preset.keys.items())
        assert f"| `{name}` | {preset.title} | {keys} |" in listed


def test_every_form_names_parts_of_its_family() -> None:
    for name, preset in PRESETS.items():
        assert set(preset.keys) <= set(PARTS[preset.family]), name
        assert {part for parts in preset.needs for part in parts.split("|")} <= set(PARTS[preset.family]), (
            name
        )


_KEYS = sorted({key for preset in PRESETS.values() for key in preset.keys.values()})
_TURNS = st.fixed_dictionaries(
    {},
    optional={
        **dict.fromkeys(
            ("role", "from"), st.sampled_from(["user", "gpt", "assistant", "function_call", 1, None])
        ),
        **dict.fromkeys(("content", "value"), st.one_of(st.text(max_size=3), st.none(), st.integers())),
        "train_detail": st.lists(
            st.dictionaries(st.sampled_from(["begin_offset", "end_offset"]), st.integers(0, 3))
        ),
    },
)
_VALUES = st.recursive(
    st.one_of(st.none(), st.booleans(), st.integers(-2, 2), st.text(max_size=4), _TURNS),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(_KEYS), inner, max_size=2),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None)
@given(st.dictionaries(st.sampled_from(_KEYS), _VALUES, max_size=4))
def test_whatever_a_row_holds_it_converts_or_is_refused(row: dict[str, Any]) -> None:
    for name in PRESETS:
        try:
            made = said(row, name, formats={"user": "{instruction}"}, best="lowest")
        except BadRow:
            continue
        assert made.keys() & {"messages", "text"}
