"""Rows that cannot be carried whole, or that their own tool would drop or train wrongly in silence."""

from typing import Any

import pytest

from tunewright.data.forms import FormSpec, convert
from tunewright.data.rows import BadRow


def turn(role: str, content: Any, **more: Any) -> dict[str, Any]:
    return {"role": role, "content": content, **more}


U, A, B = turn("user", "Q"), turn("assistant", "A"), turn("assistant", "B")
FROM = [{"from": "human", "value": "Q"}, {"from": "gpt", "value": "A"}]


def said(row: dict[str, Any], name: str, **spec: Any) -> dict[str, Any]:
    return convert(row, FormSpec(name=name, **spec))


def deep(times: int) -> dict[str, Any]:
    """An object in an object in …"""
    made: dict[str, Any] = {"a": 1}
    for _ in range(times):
        made = {"a": made}
    return made


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        ("openai", {"messages": [U, A], "images": ["x.png"]}, "not carried: 'images'"),
        (
            "openai",
            {"messages": [turn("user", [{"type": "image_url", "image_url": {"url": "u"}}]), A]},
            "not carried: messages[0].content[0] is 'image_url'",
        ),
        (
            "trl",
            {"input_ids": [1, 2], "attention_mask": [1, 1], "labels": [-100, 2]},
            "not carried: 'input_ids' holds token ids (beside them attention_mask, labels), which mean something only to",
        ),
        (
            "chat_template",
            {"messages": [U, A], "input_ids": [1, 2], "completion_mask": [0, 1]},
            "not carried: 'input_ids' holds token ids (beside them completion_mask), which mean something only to",
        ),
        (
            "trl",
            {"prompt": "Q", "completions": ["a"], "labels": [True]},
            "not carried: 'labels' rates the steps",
        ),
        (
            "trl",
            {"messages": [U, A], "chat_template_kwargs": {"enable_thinking": False}},
            "not carried: 'chat_template_kwargs'",
        ),
        (
            "openai",
            {"messages": [U, turn("assistant", "A", reasoning_content="hm")]},
            "not carried: messages[1].reasoning_content",
        ),
        *(
            (
                name,
                {"messages": [U, turn("assistant", "A", **{key: "hm"})]},
                f"not carried: messages[1].{key} is thinking",
            )
            for name in ("chat_template", "openai", "trl")
            for key in ("reasoning", "reasoning_details", "thinking", "thoughts", "thought")
        ),
        (
            "openai",
            {"messages": [U, turn("assistant", "hm", channel="analysis"), A]},
            "not carried: messages[1] is of the channel 'analysis', which is no answer",
        ),
        (
            "openai",
            {"messages": [U, turn("assistant", "I look it up.", channel="commentary"), A]},
            "not carried: messages[1] is of the channel 'commentary', which is no answer",
        ),
        (
            "creative_acr.load_critique",
            {"instruction": "Q", "answer": "A", "scores": deep(500), "critiques": {"a": "b"}},
            "bad scores: 'scores' nests too deep",
        ),
        (
            "creative_acr.load_critique",
            {"instruction": "Q", "answer": "A", "scores": [1], "critiques": {"a": "b"}},
            "bad scores: 'scores' is a list, not an object that names each of them",
        ),
        (
            "chat_template",
            {
                "messages": [
                    U,
                    turn(
                        "assistant",
                        "AB",
                        train_detail=[
                            {"begin_offset": 0, "end_offset": 0, "train": True},
                            {"begin_offset": 1, "end_offset": 1, "train": False},
                        ],
                    ),
                ]
            },
            "not carried: a part of messages[1] is trained",
        ),
        (
            "chat_template",
            {
                "messages": [
                    U,
                    turn(
                        "assistant",
                        [{"type": "text", "text": "A", "train": True}, {"type": "text", "text": "B"}],
                    ),
                ]
            },
            "not carried: parts of messages[1].content are trained and others not",
        ),
        (
            "llamafactory.v1",
            {"messages": [turn("user", "Q", loss_weight=1.0), A]},
            "not carried: messages[0] is trained, and only the assistant's turns are",
        ),
        ("trl", {"prompt": "Q"}, "no answer: the row is a prompt alone"),
        (
            "openai",
            {"messages": [U, turn("assistant", None, refusal="no")]},
            "not carried: messages[1].refusal is a refusal, which is no text of the turn",
        ),
    ],
)
def test_what_cannot_be_carried_is_refused_by_name(name: str, row: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRow) as caught:
        said(row, name)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("name", "spec", "row", "reason"),
    [
        # LLaMA-Factory: an output that is no text makes a row without an answer
        ("llamafactory.alpaca", {}, {"instruction": "Q", "output": 42}, "bad text: 'output' is a number"),
        ("llamafactory.alpaca", {}, {"instruction": "Q", "output": "  "}, "empty text: 'output' is blank"),
        (
            "llamafactory.alpaca",
            {},
            {"instruction": " ", "output": "A"},
            "empty input: neither 'instruction'",
        ),
        # … a history that is no list is passed over
        (
            "llamafactory.alpaca",
            {"keys": {"history": "history"}},
            {"instruction": "Q", "output": "A", "history": "q"},
            "bad history: 'history'",
        ),
        # … turns that do not alternate are dropped
        (
            "llamafactory.sharegpt",
            {},
            {"conversations": FROM[:1]},
            "bad messages: the conversation does not end",
        ),
        (
            "llamafactory.sharegpt",
            {},
            {"conversations": FROM[::-1]},
            "bad messages: turn 1 is the assistant's",
        ),
        (
            "llamafactory.openai",
            {},
            {"messages": [U, U, A]},
            "bad messages: turn 2 is the user's where an answer",
        ),
        # … a rating that is no rating makes the row one of plain training
        (
            "llamafactory.alpaca",
            {"keys": {"rating": "kto_tag"}},
            {"instruction": "Q", "output": "A", "kto_tag": "maybe"},
            "bad rating: 'kto_tag' says 'maybe'",
        ),
        # TRL keeps roles that templates do not know
        ("trl", {}, {"messages": [turn("narrator", "Q"), A]}, "bad messages: messages[0].role is 'narrator'"),
        # Axolotl's fixed KTO types never set the rating
        ("kto.intel", {}, {"question": "Q", "completion": "A"}, "missing column: no 'label'"),
        # … and take the second message of a side for its answer, whatever follows
        (
            "dpo.argilla_chat",
            {},
            {"chosen": [U, A, U, A], "rejected": [U, B, U, B]},
            "bad pair: the two answers do not follow the same messages",
        ),
        (
            "dpo.ultra",
            {},
            {"prompt": "other", "chosen": [U, A], "rejected": [U, B]},
            "bad pair: the prompt is another",
        ),
        (
            "dpo.intel",
            {},
            {"question": "Q", "chosen": "A", "rejected": " "},
            "empty text: 'rejected' is blank",
        ),
        # markup that would stand there twice
        (
            "input_output",
            {},
            {"segments": [{"label": False, "text": "<s>Q"}, {"label": True, "text": "A</s>"}]},
            "bad segments: segments[0] holds '<s>'",
        ),
        (
            "input_output",
            {},
            {"segments": [{"label": True, "text": "A"}]},
            "bad segments: the first one is trained",
        ),
        (
            "sharegpt",
            {},
            {"conversations": [*FROM[:1], {"from": "function_call", "value": "add(1)"}]},
            "bad messages",
        ),
        (
            "sharegpt",
            {},
            {"conversations": [*FROM, {"from": "human", "value": "Q"}]},
            "bad messages: the last message",
        ),
        (
            "alpaca",
            {"keys": {"output": ""}},
            {"instruction": "Q"},
            "no answer: alpaca rows have none",
        ),
    ],
)
def test_what_its_tool_would_drop_or_train_wrongly_is_a_reject(
    name: str, spec: dict[str, Any], row: dict[str, Any], reason: str
) -> None:
    with pytest.raises(BadRow) as caught:
        said(row, name, **spec)
    assert str(caught.value).startswith(reason)


@pytest.mark.parametrize(
    ("key", "form"), [("prompt", "prompt_only"), ("ask", "{name: prompt_only, keys: {prompt: ask}}")]
)
def test_a_prompt_alone_is_told_what_it_can_be(key: str, form: str) -> None:
    for prompt in ("Q", [U]):
        with pytest.raises(BadRow) as caught:
            said({key: prompt, "answer": "4"}, "trl", keys={"prompt": key})
        assert str(caught.value) == (
            f"no answer: the row is a prompt alone; it has {key}, answer. form.keys.completion may name its answer; as a "
            f"seed for `generate` it has form: {form}; methods that answer prompts themselves (grpo) are not here yet"
        )


@pytest.mark.parametrize(
    ("name", "row", "reason"),
    [
        (
            "prompt_only",
            {"prompt": [U, A, U]},
            "not carried: 'prompt' is no single question (user, assistant, user)",
        ),
        (
            "prompt_only",
            {"prompt": [turn("system", "S")]},
            "not carried: 'prompt' is no single question (system)",
        ),
        ("prompt_only", {"prompt": " "}, "empty text: 'prompt' is blank"),
        ("prompt_only", {"prompt": [turn("user", " ")]}, "empty text: 'prompt' asks nothing"),
        ("prompt_only", {"prompt": [turn("system", 1), U]}, "bad messages: prompt[0].content is no text"),
        (
            "prompt_only",
            {"prompt": [turn("system", "S"), U], "system": "T"},
            "bad messages: the system message of the row is another",
        ),
        (
            "stepwise",
            {"prompt": "Q", "completions": ["a"], "labels": []},
            "bad steps: 'labels' is an empty list",
        ),
        (
            "stepwise",
            {"prompt": "Q", "completions": "a", "labels": [True]},
            "bad steps: 'completions' is a text",
        ),
        (
            "stepwise",
            {"prompt": "Q", "completions": ["a", "b"], "labels": [True]},
            "bad steps: 'completions' has 2, and 'labels' rates 1",
        ),
        (
            "stepwise",
            {"prompt": "Q", "completions": ["a", " "], "labels": [True, True]},
            "bad steps: completions[1] is blank",
        ),
        (
            "stepwise",
            {"prompt": "Q", "completions": ["a"], "labels": [None]},
            "bad rating: 'labels[0]' says null",
        ),
    ],
)
def test_prompts_and_steps_that_cannot_be_read(name: str, row: dict[str, Any], reason: str) -> None:
    with pytest.raises(BadRow) as caught:
        said(row, name)
    assert str(caught.value).startswith(reason)
