"""Evaluating with real tiny models: cut off anywhere, it goes on to the same scorecard."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tunewright.core.errors import IntegrityError
from tunewright.core.example import Example, ask, make_example
from tunewright.core.generation import Decoding, Reply
from tunewright.core.grading import Score
from tunewright.core.message import Conversation
from tunewright.core.task import TaskSpec
from tunewright.evals.io import load_scorecard, save_scorecard
from tunewright.evals.run import BATCH, LOG, Evaluation, cut_suite, evaluate
from tunewright.evals.scorecard import ScoredReply
from tunewright.evals.spec import SuiteSpec
from tunewright.evals.suite import Suite
from tunewright.evals.suites import build_suite
from tunewright.generate.torch import TorchGenerator
from tunewright.grade.spec import Contains, ExactMatch
from tunewright.models.base import Base

DECODING = Decoding(max_new_tokens=6, temperature=1.0, seed=5)


def examples(count: int) -> list[Example]:
    return [
        make_example(ask(f"{i} " + "fox " * (i % 17), "e"), fields={"size": i % 2} if i % 3 else {})
        for i in range(count)
    ]


def suite(count: int = 150) -> Suite:
    spec = SuiteSpec(graders=(Contains(), ExactMatch()), slices=("size",))
    return build_suite("target", spec, examples(count), TaskSpec(), Path())


class Counting:
    """Passes on to a generator and counts what it is asked."""

    def __init__(self, generator: TorchGenerator, stop_after: int | None = None) -> None:
        self.generator, self.stop_after, self.asked = generator, stop_after, 0

    def generate(
        self, conversations: Sequence[Conversation], decoding: Decoding, on_reply=None
    ) -> list[Reply]:
        def told(index: int, reply: Reply) -> None:
            self.asked += 1
            if self.asked == self.stop_after:
                raise KeyboardInterrupt
            on_reply(index, reply)

        return self.generator.generate(conversations, decoding, told)


@pytest.fixture(scope="module")
def generator(tiny_base: Base) -> TorchGenerator:
    return TorchGenerator(tiny_base)


@pytest.fixture(scope="module")
def undisturbed(
    generator: TorchGenerator, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Evaluation, bytes]:
    work = tmp_path_factory.mktemp("work")
    result = evaluate(generator, "prompt", suite(), DECODING, work=work)
    return result, (work / LOG).read_bytes()


def test_batches_hold_every_example_once_by_length() -> None:
    rows = examples(150)
    batches = cut_suite(rows)
    assert [len(batch) for batch in batches] == [BATCH, BATCH, 150 - 2 * BATCH]
    assert sorted(index for batch in batches for index in batch) == list(range(150))


def test_progress_is_told(generator: TorchGenerator, tmp_path: Path) -> None:
    events: list[dict[str, Any]] = []
    result = evaluate(
        generator,
        "prompt",
        suite(70),
        DECODING,
        work=tmp_path,
        emit=lambda kind, **data: events.append({"kind": kind, **data}),
    )
    assert [event["done"] for event in events] == list(range(1, 71))
    assert events[-1] == {
        "kind": "eval.reply",
        "variant": "prompt",
        "suite": "target",
        "done": 70,
        "total": 70,
        "mean": round(result.scorecard.mean(), 4),
    }
    assert 0 < result.scorecard.mean() < 1
    assert len(result.timings) == 70
    assert min(result.timings) > 0


@pytest.mark.parametrize("cut", [0, 10, 0.2, 0.5, 0.66, 0.67, 0.999, 1.0])
def test_cut_anywhere_it_ends_the_same(
    generator: TorchGenerator, undisturbed: tuple[Evaluation, bytes], tmp_path: Path, cut: float
) -> None:
    result, log = undisturbed
    size = cut if cut >= 10 else int(cut * len(log))
    (tmp_path / LOG).write_bytes(log[: int(size)])
    counting = Counting(generator)
    again = evaluate(counting, "prompt", suite(), DECODING, work=tmp_path)
    assert again.scorecard == result.scorecard
    whole = max(log[: int(size)].count(b"\n") - 1, 0)
    assert counting.asked == 150 - min(whole * BATCH, 150)


def test_interrupted_in_a_batch_it_loses_that_batch(
    generator: TorchGenerator, undisturbed: tuple[Evaluation, bytes], tmp_path: Path
) -> None:
    with pytest.raises(KeyboardInterrupt):
        evaluate(Counting(generator, stop_after=100), "prompt", suite(), DECODING, work=tmp_path)
    counting = Counting(generator)
    assert (
        evaluate(counting, "prompt", suite(), DECODING, work=tmp_path).scorecard == undisturbed[0].scorecard
    )
    assert counting.asked == 150 - BATCH


@pytest.mark.parametrize("spoil", [b"[[1]]\n", b"\xff\xfe\n", b"null\n", b"[]\n", b'{"a":\n'])
def test_a_spoilt_line_is_answered_again(
    generator: TorchGenerator, undisturbed: tuple[Evaluation, bytes], tmp_path: Path, spoil: bytes
) -> None:
    lines = undisturbed[1].splitlines(keepends=True)
    (tmp_path / LOG).write_bytes(b"".join([*lines[:2], spoil, *lines[3:]]))
    assert (
        evaluate(generator, "prompt", suite(), DECODING, work=tmp_path).scorecard == undisturbed[0].scorecard
    )


def test_a_log_of_other_questions_is_begun_anew(
    generator: TorchGenerator, undisturbed: tuple[Evaluation, bytes], tmp_path: Path
) -> None:
    (tmp_path / LOG).write_bytes(undisturbed[1])
    counting = Counting(generator)
    other = evaluate(counting, "prompt", suite(), DECODING.model_copy(update={"seed": 6}), work=tmp_path)
    assert counting.asked == 150
    assert other.scorecard != undisturbed[0].scorecard


class Odd:
    """A generator of failures and of text that UTF-8 has no form for; tells of no reply as it comes."""

    def generate(self, conversations, decoding, on_reply=None) -> list[Reply]:
        return [Reply("", 3, 0, 0.0, "error", "no answer"), Reply("e\ud800", 4, 2, 0.5, "length")]


def test_failures_are_data(tmp_path: Path) -> None:
    result = evaluate(Odd(), "odd", suite(2), DECODING, work=tmp_path)
    failed = Score(0.0, "no reply: no answer")
    card = result.scorecard
    assert card.replies[0] == ScoredReply(
        example=suite(2).examples[0].id,
        text="",
        finish="error",
        error="no answer",
        tokens_in=3,
        tokens_out=0,
        scores={"contains": failed, "exact_match": failed},
        slices={"size": "(none)"},
    )
    assert (card.replies[1].text, card.replies[1].slices) == ("e\\ud800", {"size": "1"})
    assert (card.values(), result.timings) == ([0.0, 1.0], [0.0, 0.5])
    assert evaluate(Odd(), "odd", suite(2), DECODING, work=tmp_path) == result


def test_a_scorecard_is_read_back_as_it_was(undisturbed: tuple[Evaluation, bytes], tmp_path: Path) -> None:
    card = undisturbed[0].scorecard
    save_scorecard(card, tmp_path / "card.jsonl")
    loaded = load_scorecard(tmp_path / "card.jsonl")
    assert loaded == card
    save_scorecard(loaded, tmp_path / "again.jsonl")
    assert (tmp_path / "again.jsonl").read_bytes() == (tmp_path / "card.jsonl").read_bytes()
    assert len((tmp_path / "card.jsonl").read_text().splitlines()) == 151


@pytest.mark.parametrize("cut", [1, 100])
def test_a_torn_scorecard_is_not_a_shorter_one(
    undisturbed: tuple[Evaluation, bytes], tmp_path: Path, cut: int
) -> None:
    path = tmp_path / "card.jsonl"
    save_scorecard(undisturbed[0].scorecard, path)
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(IntegrityError, match="not a scorecard"):
        load_scorecard(path)


@pytest.mark.parametrize("text", ["", "{}\n", "nonsense\n", "[1]\n", json.dumps({"variant": 3}) + "\n"])
def test_a_file_that_is_no_scorecard(tmp_path: Path, text: str) -> None:
    (tmp_path / "card.jsonl").write_text(text)
    with pytest.raises(IntegrityError, match="not a scorecard"):
        load_scorecard(tmp_path / "card.jsonl")
