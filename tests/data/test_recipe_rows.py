"""What an operation of a recipe tells of rows."""

from tunewright.core.example import Origin, ask, make_example
from tunewright.data.examples import to_line
from tunewright.data.ops.redact import Before, Redact
from tunewright.data.recipe_rows import do_chunk, json_line


def test_a_changed_row_is_told_as_any_line_is():
    origin = Origin(source='ti"ckets', file="a\\b é\t.jsonl", row=7)
    row = make_example(ask("I am ann@example.org", "Fine"), origin=origin)
    to = make_example(ask("I am [EMAIL_1]", "Fine"), origin=origin)
    done = do_chunk(Redact().model_dump_json(), to_line(row), (Before(b"k" * 32, None),))
    ids = {"from": row.id, "to": to.id, "added": False}
    assert (done.lines, done.changed) == (to_line(to), 1)
    assert done.changes == json_line({**ids, "place": row.place, "source": 'ti"ckets'})
