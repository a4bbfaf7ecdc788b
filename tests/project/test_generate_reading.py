"""What a project file says of `generate`, read: every fault with its line, before anything runs."""

from pathlib import Path

import pytest

import tunewright
from tunewright.core.errors import ProjectFileError
from tunewright.data.examples import read_examples
from tunewright.data.recipe import ROWS

HEAD = """\
name: writing
task: {system: Say the kind.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
recipe:
  - op: generate
    rows: 24
    columns:
"""
PROJECT = (
    HEAD
    + """\
      kind: {type: category, values: {delivery: 2, billing: 1}}
      _who: {type: person}
      _text: {type: text, prompt: "{{ _who.first_name }} asks about {{ kind }}", max_new_tokens: 12}
    input: _text
    expected: kind
"""
)


def project(folder: Path, text: str) -> Path:
    (folder / "rows.csv").write_text("text,kind\nWhere?,delivery\n")
    (folder / "tunewright.yaml").write_text(text)
    return folder


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "{{ kind }}",
            "{{ knid }}",
            "_text: its prompt reads 'knid', which is no column. Did you mean 'kind'?",
        ),
        ("max_new_tokens: 12", "teacher: big", "there is no teacher 'big'; known are base"),
        (
            "type: person",
            "type: persn",
            "recipe.0.columns._who: 'persn' is not known here. Known: 'category', 'code',",
        ),
        ("type: person", "type: person, locales: [xx]", "recipe.0.columns._who"),
        (
            "type: person",
            "type: uuid, prefx: a",
            "recipe.0.columns._who.prefx is not a setting. Did you mean prefix?",
        ),
        (
            "type: person",
            "type: structured, prompt: a, schema: {type: objekt}",
            "recipe.0.columns._who.schema.type: this is not a JSON Schema: 'objekt' is not valid",
        ),
        ("input: _text", "input: _txt", "input is written from '_txt', which is no column"),
        (
            "type: person",
            "type: validate, of: kind, by: {type: regex, pattern: '('}",
            "is not a regular expression",
        ),
    ],
)
def test_what_is_wrong_is_told_with_its_line_before_anything_runs(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in PROJECT
    folder = project(tmp_path, PROJECT.replace(old, new))
    with pytest.raises(ProjectFileError) as caught:
        tunewright.open(folder)
    message, *others = map(str, caught.value.problems)
    assert others == []
    assert message.startswith(f"{folder}/tunewright.yaml:")
    assert said in message


SCHEMA = '{"type": "object", "properties": {"kind": {"enum": ["delivery", "billing"]}}, "required": ["kind"]}'
WITH_SCHEMA = (
    HEAD
    + """\
      n: {type: number, low: 1, high: 1000}
      kind: {type: category, values: {delivery: 2, billing: 1}}
      input: {type: expression, template: "Where is {{ n }}?"}
      expected: {type: expression, template: '{"kind": "{{ kind }}"}'}
      _sound: {type: validate, of: expected, by: {type: json_schema, schema: schemas/kind.json}}
    stop_after_failures: 0.9
"""
)


def test_a_schema_may_stand_in_a_file_whose_content_counts(tmp_path: Path) -> None:
    folder = project(tmp_path, WITH_SCHEMA)
    (folder / "schemas").mkdir()
    (folder / "schemas" / "kind.json").write_text(SCHEMA)
    first = tunewright.open(folder).run("prepare").outcomes[-1]
    assert not tunewright.open(folder).run("prepare").outcomes[-1].made
    assert len(read_examples(first.artifact.file(ROWS))) == 25
    (folder / "schemas" / "kind.json").write_text(SCHEMA.replace('"delivery", ', ""))
    other = tunewright.open(folder).run("prepare").outcomes[-1]
    kinds = {row.expected for row in read_examples(other.artifact.file(ROWS))[1:]}
    assert (other.made, kinds) == (True, {'{"kind": "billing"}'})


def test_a_structured_column_may_name_a_file_too(tmp_path: Path) -> None:
    said = "recipe.0.columns._who.schema: there is no schema file kind.json in the project's folder"
    text = PROJECT.replace("type: person", "type: structured, prompt: a, schema: kind.json")
    with pytest.raises(ProjectFileError, match=said):
        tunewright.open(project(tmp_path, text))
    (tmp_path / "kind.json").write_text('{"type": "objekt"}')
    with pytest.raises(ProjectFileError, match="this is not a JSON Schema: 'objekt' is not valid"):
        tunewright.open(tmp_path)
    (tmp_path / "kind.json").write_text(SCHEMA)
    assert tunewright.open(tmp_path).file.recipe[0].op == "generate"
