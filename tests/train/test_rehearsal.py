"""Rehearsal rows: the base's own answers are trained, and nothing else of the conversation."""

from test_run import SPEC, run

from calls import made
from tiny import make_tokenizer, save_model
from tunewright.core.example import ask, make_example
from tunewright.core.message import Message
from tunewright.models.base import resolve_base
from tunewright.models.template import Renderer
from tunewright.train.rehearsal import rehearsal_rows

PROMPT = (
    Message(role="user", content="two"),
    Message(role="assistant", content="gold words"),
    Message(role="user", content="and three?"),
)


def test_only_the_answer_is_trained() -> None:
    rows = [example.messages for example in rehearsal_rows([(PROMPT, " four "), (PROMPT, "  ")])]
    assert [[(turn.role, turn.content, turn.weight) for turn in row] for row in rows] == [
        [
            ("user", "two", None),
            ("assistant", "gold words", 0),
            ("user", "and three?", None),
            ("assistant", "four", None),
        ]
    ]
    renderer = Renderer(make_tokenizer())
    ids, mask = renderer.training(rows[0])
    assert renderer.decode([token for token, on in zip(ids, mask, strict=True) if on]).strip() == "four"


def test_they_train_beside_the_task(tiny_base, tmp_path):
    general = [
        make_example(ask(f"Reply with one word: {i}", "yes", system="Please answer.")) for i in range(5)
    ]
    alone = run(tmp_path / "alone", tiny_base)
    summary = run(tmp_path / "beside", tiny_base, rehearsal=general)
    assert (summary.rows, summary.rehearsal_rows, alone.rehearsal_rows) == (25, 5, 0)
    assert summary.shared_prefix == alone.shared_prefix  # the task's prompt is still computed once
    assert summary.trained_tokens > alone.trained_tokens
    assert summary.dev_rows == alone.dev_rows


def test_those_that_are_too_long_are_left_out(tiny_base, tmp_path):
    short, long = (make_example(ask(f"Reply with one word: {i}", "yes " * i)) for i in (2, 200))
    summary = run(tmp_path, tiny_base, SPEC.model_copy(update={"max_length": 100}), rehearsal=[short, long])
    assert (summary.rows, summary.rehearsal_rows, summary.dropped_rows) == (21, 1, 1)


def test_those_that_the_template_refuses_are_left_out(tmp_path):
    """The base said them, thoughts and all, though it was asked for none: the user has nothing to mend."""
    template = made("qwen3").tokenizer.chat_template
    base = resolve_base(str(save_model(tmp_path / "base", template=template)), tmp_path)
    general = [make_example(ask("Reply with one word.", said)) for said in ("yes", "Well. </think> yes")]
    summary = run(tmp_path / "run", base, SPEC.model_copy(update={"epochs": 1}), rehearsal=general)
    assert (summary.rows, summary.rehearsal_rows, summary.dropped_rows) == (21, 1, 1)
