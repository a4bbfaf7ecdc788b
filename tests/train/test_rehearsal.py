"""Rehearsal rows: the base's own answers are trained, and nothing else of the conversation."""

from tiny import make_tokenizer
from tunewright.core.message import Message
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
