"""The recipe's graph: what is known of it before anything runs, and when some of it is worked."""

import json
from pathlib import Path

import pytest
import two_sources
from two_sources import write_two_sources

import tunewright
from tunewright.data.recipe_columns import Column

PROJECT = two_sources.PROJECT.replace('}"}}', '}", long: "{{ chars > 20 }}"}}')
TURNS = Column("messages", "conversation", is_field=False)
LANG = Column("lang", "text")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_two_sources(tmp_path, PROJECT)


def seen(root: Path) -> tunewright.RecipeGraph:
    return tunewright.open(root).recipe()


def test_before_anything_is_read_it_is_what_the_file_says(root: Path) -> None:
    found = seen(root)
    assert found.stopped is None
    assert [(node.id, node.state, node.counts, node.columns) for node in found.sources] == [
        ("own", "stale", None, None),
        ("other", "stale", None, None),
    ]
    told = [(node.id, node.op, node.needs, node.state, node.account) for node in found.operations]
    assert told == [
        ("english", "filter", ("own",), "waits", None),
        ("polite", "map", ("english",), "waits", None),
        ("drop_duplicates", "drop_duplicates", ("polite", "other"), "waits", None),
    ]
    polite = found.operations[1].columns
    assert (polite.given, polite.made, polite.is_seen) == (None, None, False)
    assert (polite.reads, polite.adds, polite.changes) == (
        ("chars", "input"),
        (Column("long", "any"),),
        ("input",),
    )
    assert found.operations[1].settings == {
        "set": {"input": "Please: {{ input }}", "long": "{{ chars > 20 }}"}
    }
    assert not (root / ".tunewright/artifacts").exists()


def test_what_is_worked_has_its_counts_and_its_columns(root: Path) -> None:
    project = tunewright.open(root)
    project.run("prepare")
    found = project.recipe()
    own = found.sources[0]
    assert own.counts is not None
    assert (own.state, own.counts.rows, own.counts.rejects, own.columns) == ("fresh", 61, 1, (TURNS, LANG))
    assert [node.state for node in found.operations] == ["fresh"] * 3
    counts = [
        (node.account.rows_in, node.account.rows_out, node.account.dropped, node.account.changed)
        for node in found.operations
        if node.account
    ]
    assert counts == [(60, 48, 12, 0), (48, 48, 0, 48), (88, 80, 8, 0)]
    polite = found.operations[1]
    assert polite.columns.adds == (Column("long", "boolean"),)
    assert polite.columns.made == (TURNS, LANG, Column("long", "boolean"))
    assert polite.columns.is_seen
    assert polite.artifact is not None
    assert project.store.get(polite.artifact) is not None
    assert found.operations[2].columns.given == (TURNS, LANG, Column("long", "boolean"))


def test_what_was_changed_is_stale_and_what_is_behind_it_waits(root: Path) -> None:
    tunewright.open(root).run("prepare")
    path = root / "tunewright.yaml"
    path.write_text(path.read_text().replace("id: polite", "id: kind").replace("[polite", "[kind"))
    assert [node.state for node in seen(root).operations] == ["fresh"] * 3, "a name is no content"
    path.write_text(path.read_text().replace("chars > 20", "chars > 22"))
    found = seen(root)
    assert [node.state for node in found.operations] == ["fresh", "stale", "waits"]
    assert found.operations[2].columns.made == (TURNS, LANG, Column("long", "any"))


def test_what_is_not_there_is_told_and_the_rest_is_shown(root: Path) -> None:
    path = root / "tunewright.yaml"
    path.write_text(f"base: ./gone\n{PROJECT}  - {{op: max_tokens, tokens: 99}}\n  - {{op: quality}}\n")
    tunewright.open(root).run("ingest")
    with pytest.raises(tunewright.UserError, match="gone"):
        tunewright.open(root).run("prepare")
    found = seen(root)
    assert [node.state for node in found.operations] == ["stale", "waits", "waits", "waits", "waits"]
    assert found.stopped is None
    path.write_text(PROJECT)
    tunewright.open(root).run("prepare")
    path.write_text(f"base: ./gone\n{PROJECT}  - {{op: max_tokens, tokens: 99}}\n  - {{op: quality}}\n")
    found = seen(root)
    assert [node.state for node in found.operations] == ["fresh", "fresh", "fresh", "stale", "waits"]
    assert "gone" in str(found.stopped)
    (root / "own.csv").unlink()
    assert [node.state for node in seen(root).sources] == ["stale", "stale"]


RARE = """\
name: rare
task: {system: Say the kind.}
sources: {own: {path: own.jsonl, columns: {input: text, expected: kind}}}
recipe:
  - {op: clean}
  - {op: map, id: pairs, set: {rejected: "no {{ expected }}", label: "{{ expected }}"}}
"""


def test_what_few_rows_have_is_neither_lost_nor_new(tmp_path: Path) -> None:
    rows = [{"text": f"Where is parcel {at}?", "kind": "delivery"} for at in range(1200)]
    rows[5] |= {"note": "seen by few"}  # which no even draw of a thousand rows takes
    (tmp_path / "own.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "tunewright.yaml").write_text(RARE)
    project = tunewright.open(tmp_path)
    project.run("ingest")
    found = project.recipe()
    worse, label = Column("rejected", "text", is_field=False), Column("label", "text")
    assert found.sources[0].columns == (TURNS,)
    assert found.operations[1].columns[2:] == ((worse, label), (), (), (TURNS, worse, label), False)
    project.run("prepare")
    path = tmp_path / "tunewright.yaml"
    path.write_text(path.read_text().replace("label:", "note:"))
    project = tunewright.open(tmp_path)
    project.run("prepare")
    found, note = project.recipe(), Column("note", "text")
    assert found.sources[0].columns == (TURNS, note)
    clean, pairs = (node.columns for node in found.operations)
    assert (clean.adds, clean.removes, clean.made) == ((), (), (TURNS, note))
    assert (pairs.adds, pairs.changes, pairs.made) == ((worse,), ("note",), (TURNS, worse, note))
