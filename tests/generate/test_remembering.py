"""A teacher that is asked nothing twice, whatever cuts it off."""

import json
from pathlib import Path

import pytest
from asking import prompts
from echoing import Echo

from tunewright.core.generation import Decoding, Generator, Reply
from tunewright.core.message import Message
from tunewright.generate.remembering import Recalled, Remembering

WARM = Decoding(temperature=1)


def remembering(generator: Generator, path: Path, identity: str = "m") -> Remembering:
    return Remembering(generator, path / "answers" / "m.jsonl", identity)


def test_what_was_answered_is_not_asked_again(tmp_path: Path):
    echo = Echo()
    first = remembering(echo, tmp_path).generate(prompts(5), WARM)
    told: list[int] = []
    again = remembering(echo, tmp_path).generate(prompts(8), WARM, lambda index, reply: told.append(index))
    assert again[:5] == first
    assert told == [0, 1, 2, 3, 4, 7, 6, 5]
    assert echo.asked == [prompt[0].content for prompt in prompts(8)]


def test_two_samples_of_one_prompt_are_two(tmp_path: Path):
    echo = Echo()
    teacher = remembering(echo, tmp_path)
    texts = [
        reply.text for reply in teacher.generate(prompts(1) * 2, WARM) + teacher.generate(prompts(1), WARM)
    ]
    assert len(set(texts)) == 3
    again = remembering(echo, tmp_path)
    assert [reply.text for reply in again.generate(prompts(1) * 3, WARM)] == texts
    assert len(echo.asked) == 3


def test_another_teacher_draw_schema_or_tool_is_another_question(tmp_path: Path):
    echo = Echo()
    ordered = [{"properties": {"a": {}, "b": {}}}, {"properties": {"b": {}, "a": {}}}]
    remembering(echo, tmp_path).generate(prompts(1), WARM)
    remembering(echo, tmp_path, "other").generate(prompts(1), WARM)
    remembering(echo, tmp_path).generate(prompts(1), Decoding(temperature=1, seed=1))
    for schema in ordered:
        remembering(echo, tmp_path).generate(prompts(1), Decoding(json_schema=schema))
    tooled = (Message(role="user", content=prompts(1)[0][0].content, tools="[]"),)
    remembering(echo, tmp_path).generate([tooled], WARM)
    assert len(echo.asked) == 6


def test_what_failed_is_asked_again(tmp_path: Path):
    echo = Echo(lambda nth: "late" if nth == 2 else None)
    first = remembering(echo, tmp_path).generate(prompts(3), WARM)
    assert [reply.error for reply in first] == [None, "late", None]
    assert [reply.error for reply in remembering(echo, tmp_path).generate(prompts(3), WARM)] == [None] * 3
    assert len(echo.asked) == 4


def test_answers_before_a_kill_stand(tmp_path: Path):
    def killed(index: int, reply: Reply) -> None:
        if index == 2:
            raise KeyboardInterrupt

    echo = Echo()
    with pytest.raises(KeyboardInterrupt):
        remembering(echo, tmp_path).generate(prompts(6), WARM, killed)  # it is told of the last one first
    echo.asked.clear()
    remembering(echo, tmp_path).generate(prompts(6), WARM)
    assert echo.asked == [prompt[0].content for prompt in prompts(6)[:2]]


@pytest.mark.parametrize("cut", [1, 2, 40, 120])
def test_a_torn_line_counts_for_nothing(tmp_path: Path, cut: int):
    echo = Echo()
    first = remembering(echo, tmp_path).generate(prompts(3), WARM)
    journal = tmp_path / "answers" / "m.jsonl"
    journal.write_bytes(journal.read_bytes()[:-cut])
    echo.asked.clear()
    again = remembering(echo, tmp_path).generate(prompts(3), WARM)
    assert echo.asked == [prompts(3)[0][0].content]  # its line was the last
    assert again[1:] == first[1:]
    assert remembering(echo, tmp_path).generate(prompts(3), WARM) == again
    assert len(echo.asked) == 1


def test_lines_that_are_no_answers_count_for_nothing(tmp_path: Path):
    echo = Echo()
    remembering(echo, tmp_path).generate(prompts(2), WARM)
    journal = tmp_path / "answers" / "m.jsonl"
    key = json.loads(journal.read_text().splitlines()[0])["key"]
    counts = {"tokens_in": "7", "tokens_out": -1, "latency_s": 0.1, "finish": "stop"}
    odd = ["nonsense", "", '{"key": "zz"}', json.dumps({"key": key, "text": 5}), f'{{"key": "{key}"}}']
    odd.append(json.dumps({"key": key, "text": "x", **counts}))
    journal.write_text("\n".join(odd) + "\n")
    assert remembering(echo, tmp_path).generate(prompts(2), WARM)[0].error is None
    assert len(echo.asked) == 4


def test_what_was_remembered_is_counted(tmp_path: Path):
    echo = Echo()
    remembering(echo, tmp_path).generate(prompts(3), WARM)
    again = remembering(echo, tmp_path)
    again.generate(prompts(5), WARM)
    assert again.recalled == Recalled(answers=3, tokens_in=30, tokens_out=60)


def test_two_may_write_at_once(tmp_path: Path):
    one, two = remembering(Echo(), tmp_path), remembering(Echo(), tmp_path)
    for begin in range(0, 12, 3):
        for teacher, some in (
            (one, prompts(12)[begin : begin + 3]),
            (two, prompts(12, "so ")[begin : begin + 3]),
        ):
            teacher.generate(some, WARM)
    third = remembering(Echo(lambda nth: "not kept"), tmp_path)
    replies = third.generate([*prompts(12), *prompts(12, "so ")], WARM)
    assert [reply.error for reply in replies] == [None] * 24


def test_any_text_is_kept_as_it_is(tmp_path: Path):
    odd = 'ends in }\n{"key": "\u2028 \ud800 ünï'
    asked = [(Message(role="user", content=odd),)]
    first = remembering(Echo(), tmp_path).generate(asked, WARM)
    assert remembering(Echo(), tmp_path).generate(asked, WARM) == first
    assert first[0].text.startswith(odd)
