"""Thinking templates, the real ones that TRL brings along: a row is trained as it is served, or refused in a sentence."""

import pytest

from calls import ASKED, FOUND, call, made, stored
from tunewright.core.errors import ModelError
from tunewright.core.example import ask
from tunewright.core.message import Message
from tunewright.data.sources.chat import talk
from tunewright.data.thinking import Thoughts
from tunewright.models.thinking import ServedOtherwiseError, ThinkingError, without_empty
from tunewright.train.gate import check_rows

CLOSING = ("qwen3", "qwen3_5_think", "qwen3_6", "qwen3_8", "qwen3_training", "nemotron_3_nano")
"""Templates that end a prompt with an empty thinking part where none is wanted."""
EMPTY, THOUGHT = "<think>\n\n</think>\n\n", "<think>\nIt is a door.\n</think>\n\n"
PLAIN = ask("What colour?", "red")


def context(row):
    """The row with its answers as context alone."""
    return tuple(turn.model_copy(update={"weight": 0}) if turn.role == "assistant" else turn for turn in row)


def trained(renderer, row):
    ids, mask = renderer.training(row)
    return renderer.tokenizer.decode([token for token, on in zip(ids, mask, strict=True) if on])


def problems(renderer, row):
    return [str(found.problem()) for found in check_rows([("row", row)], renderer, 2000, "").problems]


def test_which_templates_close():
    assert all(made(name).closes_thinking for name in CLOSING)
    assert not any(made(name).closes_thinking for name in ("qwen3_instruct_2507", "qwen2_5", "embedded"))


@pytest.mark.parametrize("name", CLOSING)
def test_the_empty_part_is_the_prompts(name):
    """It stands in the training row as in the prompt, untrained, whether the row's answer has it or not."""
    renderer = made(name)
    ids, mask = renderer.training(PLAIN)
    prompt = renderer.prompt(PLAIN[:-1])
    assert ids[: len(prompt)] == prompt
    assert renderer.text(PLAIN[:-1], answering=True).rstrip().endswith("</think>")
    assert (mask.index(1), trained(renderer, PLAIN)) == (len(prompt), "red<|im_end|>")
    assert renderer.training(ask("What colour?", EMPTY + "red")) == (ids, mask)
    assert problems(renderer, PLAIN) == problems(renderer, ask("What colour?", EMPTY + "red")) == []


@pytest.mark.parametrize("name", CLOSING)
def test_an_answer_that_thinks_is_refused(name):
    renderer = made(name)
    row = ask("What colour?", THOUGHT + "red")
    with pytest.raises(ThinkingError):
        renderer.training(row)
    assert problems(renderer, row) == [
        "rows row: 1 rows have an answer with a thinking part, and the base's chat template asks for answers without one."
        " Take <think>…</think> out of the answers (thinking: drop for a source that has thinking: inline), or choose a base"
        " whose template writes no thinking part into the prompt."
    ]
    assert renderer.prompt((*context(row), *PLAIN[:-1]))  # as context it may stand


def test_qwen3_shows_an_earlier_answer_without_its_thoughts():
    """In training and in serving alike; so the answer after it can be trained, and it itself cannot."""
    renderer = made("qwen3")
    row = (*context(ask("Where?", THOUGHT + "here")), *PLAIN)
    ids, mask = renderer.training(row)
    assert "It is a door" not in renderer.text(row)
    assert ids[: mask.index(1)] == renderer.prompt(row[:-1])
    assert trained(renderer, row) == "red<|im_end|>"
    with pytest.raises(ServedOtherwiseError) as caught:
        renderer.training((*ask("Where?", "here"), *PLAIN))
    assert not caught.value.last
    (said,) = problems(renderer, (*ask("Where?", "here"), *PLAIN))
    assert said.endswith(
        'Give the earlier answers of these rows "weight": 0, or train them as rows of their own.'
    )


def test_an_answer_after_a_tools_answer():
    """The call before it stands in the same turn, so the template keeps that call's empty part."""
    renderer = made("qwen3")
    row = (ASKED, call("a", weight=0), FOUND, Message(role="assistant", content=EMPTY + "In Prague."))
    assert trained(renderer, row) == "In Prague.<|im_end|>"
    assert problems(renderer, row) == []


@pytest.mark.parametrize("name", ["qwen3_instruct_2507", "lfm2_2_5"])
def test_without_such_a_part_thoughts_are_text(name):
    """The model writes them where it is asked, as it was trained."""
    renderer, row = made(name), ask("What colour?", THOUGHT + "red")
    assert trained(renderer, row) == THOUGHT + "red<|im_end|>"
    assert problems(renderer, row) == []


def test_an_earlier_answer_whose_thoughts_the_template_leaves_out():
    """LFM2.5 shows the last answer's thoughts alone: an earlier one that is trained is refused, and told as context."""
    renderer = made("lfm2_2_5")
    row = (*ask("Where?", THOUGHT + "here"), *ask("What colour?", THOUGHT.replace("door", "wall") + "red"))
    assert problems(renderer, row) == [
        "rows row: 1 rows have an answer whose thinking part the base's chat template leaves out."
        ' Give such earlier answers "weight": 0, train them as rows of their own, or leave thinking out (thinking: drop for'
        " a source that has thinking: inline)."
    ]
    report = check_rows([("row", (*context(row[:2]), *row[2:]))], renderer, 2000, "")
    assert report.passed
    assert report.notes == {"thinking in earlier answers, which the chat template leaves out": 1}
    again = ask("It is a door. Where?", row[1].content)  # what is thought stands in the question, too
    assert check_rows([("row", (*context(again), *row[2:]))], renderer, 2000, "").notes == report.notes
    kept = check_rows([("row", (*context(row[:2]), *row[2:]))], made("qwen3_instruct_2507"), 2000, "")
    assert (kept.passed, kept.notes) == (True, {})


@pytest.mark.parametrize("name", ["qwen3_instruct_2507", "qwen2_5", "lfm2_2_5"])
def test_thinking_from_beside_an_answer_is_trained_as_the_row_has_it(name):
    """What `thinking: inline` writes is what the template shows and the mask trains."""
    row = {"role": "assistant", "content": "red", "reasoning_content": "It is a door.\n"}
    made_of = talk({"messages": [{"role": "user", "content": "What colour?"}, row]}, {}, Thoughts("inline"))
    assert made_of.messages == ask("What colour?", THOUGHT + "red")
    assert trained(made(name), made_of.messages) == THOUGHT + "red<|im_end|>"
    assert problems(made(name), made_of.messages) == []


@pytest.mark.parametrize("name", ["qwen3", "qwen3_5_think"])
def test_it_is_what_qwens_templates_write_of_it_themselves(name):
    """Given the thinking apart, they show the answer as `thinking: inline` has it."""
    apart = {"role": "assistant", "content": "red", "reasoning_content": "It is a door."}
    turns = [{"role": "user", "content": "What colour?"}]
    tokenizer = made(name).tokenizer
    shown = tokenizer.apply_chat_template([*turns, apart], tokenize=False)
    whole = tokenizer.apply_chat_template(
        [*turns, {"role": "assistant", "content": THOUGHT + "red"}], tokenize=False
    )
    assert shown == whole
    assert "It is a door." in shown


def test_a_template_that_always_opens_one_cannot_be_trained_on():
    """DeepSeek R1's prompt ends with <think>, and its rows have what stands after the thoughts alone."""
    renderer = stored("deepseek_r1_distill", eos_token="<｜end▁of▁sentence｜>")
    with pytest.raises(ServedOtherwiseError) as caught:
        renderer.training(PLAIN)
    assert caught.value.last
    assert problems(renderer, PLAIN) == [
        "rows row: 1 rows have an answer that the base's chat template shows otherwise than its own prompt leads to it."
        " Choose a base whose chat template shows an answer as its own prompt leads to it."
    ]


@pytest.mark.parametrize("name", ["qwen3", "qwen3_training", "nemotron_3_nano_training"])
def test_a_seam_is_where_the_prompts_is(name):
    """With markers too, and where the answer begins with a blank: the row is the prompt's and goes on from it."""
    renderer = made(name)
    for answer in ("red", "    return x", EMPTY + "    return x"):
        row = ask("What colour?", answer)
        ids, mask = renderer.training(row)
        assert mask.index(1) == len(prompt := renderer.prompt(row[:-1]))
        assert ids[: len(prompt)] == prompt
        assert problems(renderer, row) == []


@pytest.mark.parametrize("name", ["qwen3", "qwen3_training"])
def test_an_answer_stays_indented(name):
    for answer in ("    return x", EMPTY + "    return x"):
        assert trained(made(name), ask("What colour?", answer)) == "    return x<|im_end|>"


def test_only_an_empty_part_at_the_head_goes():
    kept = ("red", THOUGHT + "red", "red " + EMPTY, "<think>\n\nred")
    assert tuple(map(without_empty, kept)) == kept
    assert without_empty("\n<think></think>red") == without_empty(EMPTY + "red") == "red"
    assert without_empty(EMPTY + "  red") == "  red"
    assert issubclass(ThinkingError, ModelError)


@pytest.mark.parametrize("name", ["qwen3", "nemotron_3_nano"])
def test_thoughts_that_were_cut_off_are_refused(name):
    with pytest.raises(ThinkingError):
        made(name).training(ask("What colour?", " <think>\nIt may be a"))
    assert made("qwen3").training(ask("What colour?", "the tag <think> opens thoughts"))
