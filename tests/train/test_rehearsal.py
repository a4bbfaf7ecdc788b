"""Rehearsal rows: the base's own answers are trained, and nothing else of the conversation."""

from pathlib import Path

from tiny import make_tokenizer
from tunewright.core.message import Message
from tunewright.models.template import Renderer
from tunewright.train.rehearsal import load_rows, rehearsal_rows, save_rows

PROMPT = (
    Message(role="user", content="two"),
    Message(role="assistant", content="gold words"),
    Message(role="user", content="and\u2028three?"),
)


def test_only_the_answer_is_trained() -> None:
    rows = rehearsal_rows([(PROMPT, " four "), (PROMPT, "  ")])
    assert [[(turn.role, turn.content, turn.weight) for turn in row] for row in rows] == [
        [
            ("user", "two", None),
            ("assistant", "gold words", 0),
            ("user", "and\u2028three?", None),
            ("assistant", "four", None),
        ]
    ]
    renderer = Renderer(make_tokenizer())
    ids, mask = renderer.training(rows[0])
    assert renderer.decode([token for token, on in zip(ids, mask, strict=True) if on]).strip() == "four"


def test_rows_come_back_from_the_file(tmp_path: Path) -> None:
    rows = rehearsal_rows([(PROMPT, "four"), (PROMPT[:1], "one\nmore")])
    save_rows(rows, tmp_path / "rows.jsonl")
    assert load_rows(tmp_path / "rows.jsonl") == rows
    save_rows([], tmp_path / "none.jsonl")
    assert load_rows(tmp_path / "none.jsonl") == []
