"""What rows are compared by: worked out once, by the recipe, and taken by the split and the audit."""

import json
import os
from pathlib import Path

import numpy as np
import pytest

from tunewright.core.example import Example, Origin, ask, make_document, make_example
from tunewright.core.hashing import hash_value
from tunewright.core.message import Conversation, Message, parts_of, tools_of, with_tools
from tunewright.data.audit.audit import audit
from tunewright.data.examples import Examples, write_examples
from tunewright.data.keyed import keep, keys_in, look, take
from tunewright.data.normal import (
    input_key,
    instructions_key,
    keys_of,
    normal_text,
)
from tunewright.data.ops import DropContradictions, DropDuplicates, DropNearDuplicates, MaxChars, RecipeOp
from tunewright.data.recipe import ROWS, graph, work
from tunewright.data.spec import DataSpec, SplitSpec
from tunewright.data.split import share
from tunewright.data.synthetic.beside import share_beside

TOOLS = json.dumps([{"type": "function", "function": {"name": "Find"}}])


def row(at: int, answer: str, system: str | None = None) -> Example:
    fields = {"kind": f"k{at % 3}"}
    origin = Origin(source="s", file="rows.csv", row=at)
    messages = ask(f"Question {at} of the day?", answer, system=system)
    return make_example(messages, fields=fields, origin=origin)


FREE = [row(at, f"The answer to {at} is  {at * 7}.") for at in range(400)]
LABELS = [row(at, f"label {at % 4}") for at in range(60)]
OBJECTS = [row(at, json.dumps({"kind": f"k{at % 4}", "at": at})) for at in range(300)]
SYSTEM = [row(at % 5, f"said {at}", system=f"Talk {at}.") for at in range(300)]


@pytest.mark.parametrize(
    "example",
    [
        make_example(ask("What  Is\tit?", "THAT")),
        make_example(ask("Wo ist “es”?", "Größe")),
        make_example(ask("q", "a", system="Be brief, – always.")),
        make_example(with_tools(ask("q", "a", system="Be brief."), TOOLS)),
        make_example(ask("q", "a"), rejected="B"),
        make_example(ask("q", "a"), desirable=False),
        make_example((*ask("q", "a"), *ask("r", "b")[:1], Message(role="assistant", content="b", weight=0.5))),
        make_example((Message(role="system", content="All"), Message(role="assistant", content="a"))),
        make_example(ask("half \ud83d of a pair", "a")),
        make_document("It’s  Here."),
    ],
)  # fmt: skip
def test_keys_worked_out_at_once_are_those_worked_out_alone(example: Example) -> None:
    keys = keys_of(example)
    assert [key.hex() for key in keys[:2]] == [input_key(example), instructions_key(example)]
    said = example.messages if example.is_document else example.prompt
    assert keys.prompt.hex() == hashed(said)
    if example.rejected is None and example.desirable and not parts_of(example.messages):
        assert keys.whole.hex() == hashed(example.messages)
    assert keys.answer == normal_text(example.expected)


def hashed(messages: Conversation) -> str:
    tools = tools_of(messages)
    turns = [[message.role, normal_text(message.said)] for message in messages]
    return hash_value([*turns, normal_text(tools)] if tools else turns)


def written(path: Path, rows: list[Example]) -> Examples:
    write_examples(path, rows)
    return Examples(path)


@pytest.mark.parametrize("rows", [FREE, LABELS, OBJECTS, SYSTEM, FREE[:5] + LABELS])
@pytest.mark.parametrize("spec", [SplitSpec(), SplitSpec(stratify_by="kind", group_by="kind")])
def test_an_audit_says_the_same_of_rows_that_the_split_read(
    tmp_path: Path, rows: list[Example], spec: SplitSpec
) -> None:
    shared = share_beside(written(tmp_path / "rows.jsonl", rows), spec, DataSpec())
    parts = {name: written(tmp_path / name, list(part)) for name, part in shared.parts._asdict().items()}
    assert shared.read is not None
    assert audit(parts, read=shared.read) == audit(parts)
    fewer = {**parts, "dev": written(tmp_path / "fewer", list(shared.parts.dev)[1:])}
    left = shared.read._replace(places={**shared.read.places, "dev": shared.read.places["dev"][1:]})
    assert audit(fewer, read=left) == audit(fewer)


def test_keys_are_kept_for_who_reads_the_file_next(tmp_path: Path) -> None:
    rows = written(tmp_path / "rows.jsonl", FREE)
    keys = keys_in(look(FREE))
    keep(tmp_path / "rows.jsonl", keys)
    assert take(FREE) is take(Examples(tmp_path / "rows.jsonl", 0, 3)) is None
    (tmp_path / "moved").mkdir()
    os.link(tmp_path / "rows.jsonl", tmp_path / "moved" / "other.jsonl")
    assert take(Examples(tmp_path / "moved" / "other.jsonl")) is keys
    assert take(rows) is None
    keep(tmp_path / "rows.jsonl", keys)
    write_examples(tmp_path / "rows.jsonl", FREE[:-1])
    assert take(rows) is None
    keep(tmp_path / "rows.jsonl", keys)
    keep(written(tmp_path / "next.jsonl", FREE[:9]).whole or Path(), keys[:9])
    assert take(rows) is None
    found = take(Examples(tmp_path / "next.jsonl"))
    assert found is not None
    assert len(found) == 9


@pytest.mark.parametrize(
    "ops",
    [
        [DropDuplicates()],
        [MaxChars(chars=99), DropDuplicates(), DropNearDuplicates(threshold=0.5)],
        [MaxChars(chars=99), DropContradictions(), DropDuplicates()],
        [DropNearDuplicates(), DropDuplicates(), MaxChars(chars=50)],
    ],
)
def test_a_recipe_hands_on_the_keys_of_what_is_left(tmp_path: Path, ops: list[RecipeOp]) -> None:
    twice = [*FREE, row(7, "Another answer"), *FREE[:20], make_example(ask("x" * 200, "y"))]
    nodes = graph(ops, ["rows"])
    given = written(tmp_path / "rows.jsonl", twice)
    made: dict[str, Examples] = {"rows": given}
    for node in nodes:
        out = tmp_path / node.id
        work(node, {need: made[need] for need in node.needs}, out, keyed=True)
        made[node.id] = Examples(out / ROWS)
    last = made[nodes[-1].id]
    rows = list(last)
    assert len(rows) < len(twice)
    again = share(rows, SplitSpec(stratify_by="kind"))
    told = share(last, SplitSpec(stratify_by="kind"))  # it takes the keys
    assert [list(part) for part in told.parts] == [list(part) for part in again.parts]
    assert np.array_equal(told.read.keys, keys_in(look(rows)))
    work(graph([MaxChars(chars=99)], ["rows"])[0], {"rows": given}, tmp_path / "not")
    assert take(Examples(tmp_path / "not" / ROWS)) is None
