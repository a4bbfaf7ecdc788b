"""Keys of turns that are no part of what is trained: kept as a field, or refused where they mean something."""

import json
from typing import Any

import pytest

from tunewright.core.example import ask
from tunewright.data.forms import FormSpec, convert
from tunewright.data.rows import BadRow
from tunewright.data.sources.chat import talk

U, A, B = (
    {"role": role, "content": text} for role, text in (("user", "Q"), ("assistant", "A"), ("assistant", "B"))
)


def ingested(desk: Any, row: dict[str, Any], **spec: Any) -> Any:
    desk.write("t.jsonl", json.dumps(row) + "\n")
    (found,) = desk.ingest("t.jsonl", **spec).examples
    return found


def test_keys_without_a_meaning_are_kept_as_a_field(desk: Any) -> None:
    turns = [
        {**U, "id": "m1", "name": "ann", "channel": "whatsapp"},
        {**A, "sent": "09:00", "refusal": None, "annotations": [], "name": "bot"},
    ]
    kept = {
        "messages[0]": {"id": "m1", "name": "ann", "channel": "whatsapp"},
        "messages[1]": {"sent": "09:00", "name": "bot"},
    }
    for form in ({}, {"form": "openai"}, {"form": "trl"}):
        found = ingested(desk, {"messages": turns, "topic": "t"}, **form)
        assert (found.messages, found.fields) == (ask("Q", "A"), {"topic": "t", "turn_fields": kept})


def test_a_field_of_that_name_stays(desk: Any) -> None:
    found = ingested(desk, {"messages": [{**U, "id": 1}, A], "turn_fields": "mine"})
    assert found.fields == {"other_turn_fields": "mine", "turn_fields": {"messages[0]": {"id": 1}}}
    assert ingested(desk, {"messages": [U, A], "turn_fields": "mine"}).fields == {"turn_fields": "mine"}


def test_keys_of_both_sides_of_a_pair(desk: Any) -> None:
    """Their ids differ, and they follow the same messages all the same."""
    sides = {"chosen": [{**U, "id": 1}, {**A, "id": 2}], "rejected": [{**U, "id": 3}, {**B, "id": 4}]}
    plain = ingested(desk, sides)
    assert (plain.messages, plain.rejected) == (ask("Q", "A"), "B")
    assert plain.fields["turn_fields"] == {
        f"{side}[{at}]": {"id": sides[side][at]["id"]} for side in sides for at in (0, 1)
    }
    formed = ingested(desk, sides, form="dpo.argilla_chat")
    assert (formed.messages, formed.rejected) == (ask("Q", "A"), "B")
    assert formed.fields["turn_fields"] == {
        "messages[0]": {"id": 1, "rejected_id": 3},
        "messages[1]": {"id": 2},
        "rejected[0]": {"id": 4},
    }


def test_openais_keys_beside_sharegpts(desk: Any) -> None:
    turns = [
        {"from": "human", "value": "Q", "role": "customer", "content": "q"},
        {"from": "gpt", "value": "A"},
    ]
    found = ingested(desk, {"conversations": turns}, form="sharegpt")
    assert (found.messages, found.fields) == (
        ask("Q", "A"),
        {"turn_fields": {"messages[0]": {"other_role": "customer", "other_content": "q"}}},
    )


@pytest.mark.parametrize(
    ("key", "value", "why"),
    [
        ("image_url", {"url": "u"}, "holds pictures, sounds or files"),
        ("input_audio", {"data": "x"}, "holds pictures, sounds or files"),
        ("attachments", ["a.pdf"], "holds pictures, sounds or files"),
        ("reasoning_content", "hm", "is thinking beside the answer"),
        ("tools", [{"name": "f"}], "holds tools or calls in a way that is not read"),
        ("refusal", "no", "is a refusal"),
        ("prefix", True, "says that the turn goes on"),
        ("trainable", False, "says what is trained"),
        ("loss", 0, "says what is trained"),
    ],
)
def test_a_meaning_that_would_be_lost_is_refused(key: str, value: Any, why: str) -> None:
    row = {"messages": [U, {**A, key: value}]}
    for read in (lambda: talk(row, {}), lambda: convert(row, FormSpec(name="openai"))):
        with pytest.raises(BadRow) as caught:
            read()
        assert str(caught.value).startswith(f"not carried: messages[1].{key} {why}")


def test_a_meaning_without_a_value_says_nothing() -> None:
    aside: dict[str, Any] = {}
    talk(
        {"messages": [{**U, "images": []}, {**A, "reasoning_content": "", "prefix": False, "audio": None}]},
        aside,
    )
    assert aside == {}


def test_harmonys_channels() -> None:
    said = {"messages": [{**U, "channel": "final"}, {**A, "channel": "final"}]}
    aside: dict[str, Any] = {}
    talk(said, aside)
    assert aside == {"messages[0]": {"channel": "final"}}
    with pytest.raises(BadRow, match=r"messages\[1\] is of the channel 'analysis', which is no answer"):
        talk({"messages": [U, {**B, "channel": "analysis"}, A]}, {})


def test_two_keys_that_say_otherwise() -> None:
    row = {"messages": [U, {**A, "trainable": True, "train": False}]}
    with pytest.raises(BadRow, match="has both 'trainable' and 'train', which say otherwise"):
        convert(row, FormSpec(name="tinker"))


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"role": "a", "other_role": "b"}, "both 'role' and 'other_role', which are both kept as 'other_role'"),
        ({"other_role": "b", "role": "a"}, "both 'other_role' and 'role', which are both kept as 'other_role'"),
        (
            {"content": "a", "other_content": ""},
            "both 'content' and 'other_content', which are both kept as 'other_content'",
        ),
    ],
)  # fmt: skip
def test_two_keys_that_would_be_kept_as_one(more: dict[str, str], said: str) -> None:
    turns = [{"from": "human", "value": "Q", **more}, {"from": "gpt", "value": "A"}]
    with pytest.raises(BadRow) as caught:
        convert({"conversations": turns}, FormSpec(name="sharegpt"))
    assert str(caught.value) == f"bad messages: conversations[0] has {said}"


def test_the_keys_of_openais_input(desk: Any) -> None:
    row = {
        "input": {"messages": [U], "parallel_tool_calls": True},
        "preferred_output": [A],
        "non_preferred_output": [B],
    }
    asked = {"parallel_tool_calls": True}
    plain = ingested(desk, row)
    assert (plain.messages, plain.rejected, plain.fields) == (
        ask("Q", "A"),
        "B",
        {"turn_fields": {"input": asked}},
    )
    formed = ingested(desk, row, form="openai")
    assert (formed.messages, formed.rejected, formed.fields) == (ask("Q", "A"), "B", {"other_input": asked})
    with pytest.raises(BadRow, match="'input' has parallel_tool_calls"):
        talk(row)


@pytest.mark.parametrize("key", ["images", "image", "videos", "audio"])
def test_media_beside_the_messages_are_refused(key: str) -> None:
    row = {"messages": [U, A], key: ["a.png"]}
    for read in (lambda: talk(row, {}), lambda: convert(row, FormSpec(name="openai"))):
        with pytest.raises(BadRow, match=f"not carried: '{key}' holds pictures, videos or sounds"):
            read()
    assert talk({"messages": [U, A], key: []}).messages == ask("Q", "A")


def test_settings_of_the_template_for_one_row_are_refused() -> None:
    row = {"messages": [U, A], "chat_template_kwargs": {"enable_thinking": False}}
    with pytest.raises(BadRow, match="'chat_template_kwargs' changes the template for this row alone"):
        talk(row, {})
    assert talk({**row, "chat_template_kwargs": None}, {}).messages == ask("Q", "A")


def test_where_nothing_takes_them_they_are_refused() -> None:
    with pytest.raises(BadRow, match=r"messages\[0\] has mood; a message has role, content,"):
        talk({"messages": [{**U, "mood": "fine"}, A]})


def test_a_repeated_prompt_is_read_for_its_side_keys(desk: Any) -> None:
    row = {"prompt": [{**U, "id": 5}], "chosen": [U, A], "rejected": [U, B]}
    assert ingested(desk, row).fields["turn_fields"] == {"prompt[0]": {"id": 5}}
    with pytest.raises(BadRow, match=r"not carried: prompt\[0\]\.image_url"):
        talk({**row, "prompt": [{**U, "image_url": "u"}]}, {})


@pytest.mark.parametrize("media", [{"video": False}, {"image": 0}, {"images": {}}])
def test_media_keys_that_hold_nothing(media: dict[str, Any]) -> None:
    assert talk({"messages": [U, A], **media}).messages == ask("Q", "A")


def test_a_pair_whose_context_is_trained_otherwise() -> None:
    talked = [U, {**A, "weight": 0}, U]
    row = {"chosen": [*talked, A], "rejected": [U, {**A, "weight": 1}, U, B]}
    with pytest.raises(BadRow, match="do not follow the same messages"):
        convert(row, FormSpec(name="dpo.argilla_chat"))


def test_calls_under_their_plain_name_are_commentary() -> None:
    call = {"id": "c1", "type": "function", "function": {"name": "look", "arguments": "{}"}}
    calls = {"role": "assistant", "content": "", "tool_calls": [call]}
    told = {"role": "tool", "content": "5", "tool_call_id": "c1"}
    form = FormSpec(name="openai", message_keys={"tool_calls": "calls"})
    row = {"messages": [U, {**calls, "channel": "commentary"}, told, A]}
    assert convert(row, form)["messages"][1]["tool_calls"] == [call]


def test_a_prompt_that_a_form_repeats_keeps_its_own_keys() -> None:
    row = {"prompt": [{**U, "id": "m1"}], "chosen": [U, A], "rejected": [U, B]}
    assert convert(row, FormSpec(name="trl"))["messages"] == [{**U, "prompt_id": "m1"}, A]


def test_seeds_keep_the_keys_of_their_turns() -> None:
    row = {"prompt": [{"role": "system", "content": "S", "at": 1}, {**U, "id": "m1"}]}
    assert convert(row, FormSpec(name="prompt_only")) == {
        "text": "Q",
        "system": "S",
        "turn_fields": {"prompt[0]": {"at": 1}, "prompt[1]": {"id": "m1"}},
    }


def test_a_field_whose_name_is_taken_gets_another(desk: Any) -> None:
    row = {"prompt": "Q", "completions": ["A"], "labels": [True], "label": "x", "other_label": 1}
    made = convert(row, FormSpec(name="stepwise"))
    assert (made["label"], made["other_label"], made["other_other_label"]) == (True, "x", 1)
    fields = ingested(
        desk, {"messages": [{**U, "id": 5}, A], "turn_fields": 1, "other_turn_fields": 2}
    ).fields
    assert fields == {
        "turn_fields": {"messages[0]": {"id": 5}},
        "other_turn_fields": 2,
        "other_turn_fields_2": 1,
    }
