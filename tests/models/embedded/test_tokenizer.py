"""The tokenizer and the chat template: one rendering for training and serving."""

from pathlib import Path
from random import Random

import pytest
from transformers import AutoTokenizer, PreTrainedTokenizerBase

from tunewright.models.embedded import PATH, suite, words
from tunewright.models.embedded.rows import Renderer
from tunewright.models.embedded.tokenizer import VOCAB_SIZE, save_tokenizer, train_tokenizer


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return AutoTokenizer.from_pretrained(PATH)


def _chat(draw):
    return [{"role": role, "content": text} for role, text in draw.messages]


def test_it_is_made_anew_bit_for_bit(tmp_path: Path) -> None:
    save_tokenizer(train_tokenizer(), tmp_path)
    for name in ("tokenizer.json", "tokenizer_config.json", "chat_template.jinja"):
        assert (tmp_path / name).read_text() == (PATH / name).read_text()


def test_special_tokens(tokenizer: PreTrainedTokenizerBase) -> None:
    assert (len(tokenizer), tokenizer.bos_token, tokenizer.eos_token) == (VOCAB_SIZE, None, "<|im_end|>")
    assert tokenizer.pad_token != tokenizer.eos_token


def test_the_prompt_is_an_exact_prefix_of_the_whole_chat(tokenizer: PreTrainedTokenizerBase) -> None:
    for draw in suite.general_suite(6):
        whole = tokenizer.apply_chat_template(_chat(draw), return_dict=False)
        prompt = tokenizer.apply_chat_template(
            _chat(draw)[:-1], add_generation_prompt=True, return_dict=False
        )
        assert whole[: len(prompt)] == prompt


@pytest.mark.parametrize("answer", ["\nx", "  x", "\n\n", " ", "", "{", "assistant", "é€ 漢字", "```\ncode"])
def test_the_prefix_holds_for_odd_answers(tokenizer: PreTrainedTokenizerBase, answer: str) -> None:
    chat = [{"role": "user", "content": "hi"}, {"role": "assistant", "content": answer}]
    whole = tokenizer.apply_chat_template(chat, return_dict=False)
    prompt = tokenizer.apply_chat_template(chat[:-1], add_generation_prompt=True, return_dict=False)
    assert whole[: len(prompt)] == prompt
    assert tokenizer.decode(whole) == tokenizer.apply_chat_template(chat, tokenize=False)


def test_the_mask_covers_answers_and_their_end_and_nothing_else(tokenizer: PreTrainedTokenizerBase) -> None:
    chat = [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Hello"},
        {"role": "assistant", "content": "Hi there"},
        {"role": "tool", "content": "42"},
        {"role": "assistant", "content": "It is 42."},
    ]
    out = tokenizer.apply_chat_template(chat, return_dict=True, return_assistant_tokens_mask=True)
    learnt = [token for token, keep in zip(out["input_ids"], out["assistant_masks"], strict=True) if keep]
    assert tokenizer.decode(learnt) == "Hi there<|im_end|>It is 42.<|im_end|>"


def test_training_renders_as_the_template_does(tokenizer: PreTrainedTokenizerBase) -> None:
    renderer = Renderer(tokenizer.backend_tokenizer)
    for draw in suite.general_suite(6):
        out = tokenizer.apply_chat_template(_chat(draw), return_dict=True, return_assistant_tokens_mask=True)
        rendered = renderer.render(draw.messages)
        assert rendered.ids == out["input_ids"]
        assert rendered.learn == [bool(keep) for keep in out["assistant_masks"]]
        assert renderer.prompt(draw.messages[:-1]) == tokenizer.apply_chat_template(
            _chat(draw)[:-1], add_generation_prompt=True, return_dict=False
        )


def test_tools_and_tool_calls_are_rendered(tokenizer: PreTrainedTokenizerBase) -> None:
    tool = {"type": "function", "function": {"name": "find", "parameters": {}}}
    call = {
        "role": "assistant",
        "content": "",
        "tool_calls": [{"type": "function", "function": {"name": "find", "arguments": {"q": 1}}}],
    }
    text = tokenizer.apply_chat_template(
        [{"role": "user", "content": "go"}, call], tools=[tool], tokenize=False
    )
    assert '"name": "find"' in text.split("<|im_end|>")[0]
    assert '<tool_call>{"name": "find", "arguments": {"q": 1}}</tool_call>' in text


def test_a_name_has_the_same_pieces_after_a_space_and_after_a_quote(
    tokenizer: PreTrainedTokenizerBase,
) -> None:
    rng = Random(0)
    for _ in range(200):
        name = words.pseudo(rng, True).capitalize()
        in_prose = [token.removeprefix("Ġ") for token in tokenizer.tokenize(f"I met {name}.")]
        in_json = tokenizer.tokenize(f'{{"name": "{name}"}}')
        pieces = tokenizer.tokenize(name)
        assert [token for token in in_prose if token][-1 - len(pieces) : -1] == pieces
        assert in_json[-1 - len(pieces) : -1] == pieces


def test_any_text_survives(tokenizer: PreTrainedTokenizerBase) -> None:
    for text in (
        "Zürich — 漢字 🙂\n\ttab",
        '{"a": [1, 2.5, null]}',
        "  two  spaces ",
        "CamelCaseWord snake_case_word",
    ):
        assert tokenizer.decode(tokenizer(text)["input_ids"]) == text
