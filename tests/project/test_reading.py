"""The project file: every problem at once, each with its place and the way out."""

import json

import pytest

from ends import ends
from tunewright.core.errors import ProjectFileError
from tunewright.project.reading import read
from tunewright.project.written import parse_setting

GOOD = """\
name: tickets
task:
  system: Answer.
  output:
    type: json
    schema: schema.json
sources:
  rows: {path: rows.csv}
"""


def write(folder, text, schema='{"type": "object"}'):
    (folder / "schema.json").write_text(schema)
    path = folder / "tunewright.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def messages(folder, text, **more):
    path = write(folder, text, **more)
    with pytest.raises(ProjectFileError) as caught:
        read(path)
    return [str(problem).replace(f"{folder}/", "") for problem in caught.value.problems]


def test_a_file_gets_its_schema_and_default_suites(tmp_path):
    file = read(write(tmp_path, GOOD))
    assert file.model_dump(by_alias=True, mode="json")["task"]["output"] == {
        "type": "json",
        "schema": {"type": "object"},
    }
    assert list(file.suites) == ["target", "general"]
    assert [grader.type for grader in file.suites["target"].graders] == ["field_accuracy", "json_schema"]


def test_settings_are_laid_over(tmp_path):
    settings = dict([parse_setting("train.adapter.rank=32"), parse_setting("baselines.few_shot=[1, 3]")])
    file = read(write(tmp_path, GOOD), settings)
    assert (file.train.adapter.rank, file.baselines.few_shot) == (32, (1, 3))


def test_every_problem_at_once_with_its_line(tmp_path):
    text = (
        GOOD
        + "tain:\n  epochs: 2\ntrain:\n  adapter:\n    rnak: 4\n  epochs: many\nrecipe:\n  - {op: dedupe}\n"
    )
    assert messages(tmp_path, text) == [
        "tunewright.yaml:9: tain is not a setting. Did you mean train?",
        "tunewright.yaml:13: train.adapter.rnak is not a setting. Did you mean rank?",
        "tunewright.yaml:14: train.epochs should be a whole number, not 'many'",
        "tunewright.yaml:16: recipe.0: 'dedupe' is not known here. Known: 'balance', 'boilerplate', 'chunk', 'clean',"
        " 'decontaminate', 'drop_contradictions', 'drop_duplicates', 'drop_near_duplicates', 'drop_similar', 'filter',"
        " 'generate', 'judge', 'language', 'map', 'max_chars', 'max_tokens', 'mix', 'perplexity', 'quality', 'redact',"
        " 'review', 'sample'.",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("name: [a\n", "tunewright.yaml:2: this is not valid YAML"),
        ("name: a\nname: b\n", 'tunewright.yaml:2: this is not valid YAML: found duplicate key "name"'),
        ("", "tunewright.yaml: the project file is empty"),
        ("- a\n", "tunewright.yaml: the project file is a list, not a mapping"),
        (b"name: caf\xe9\n", "tunewright.yaml:1: the file is not UTF-8. Save it as UTF-8."),
        ("name: a\n", "task is missing"),
        (
            GOOD.replace("tickets", "a/b"),
            "tunewright.yaml:1: name should be letters, digits, dots and dashes",
        ),
        (
            GOOD.replace("schema.json", "missing.json"),
            "tunewright.yaml:6: the schema file missing.json does not exist",
        ),
        (
            GOOD + "split: {train: 0.5}\n",
            "tunewright.yaml:9: split: train, dev and test add up to 0.7; they are shares of 1",
        ),
        (
            GOOD.replace("type: json\n    schema: schema.json", "type: text")
            + "decoding: {constrained: true}\n",
            "tunewright.yaml:8: decoding.constrained holds answers to a JSON Schema, and the task is text. Set it to false,",
        ),
        (
            GOOD + "suites:\n  skills: {examples: general}\n",
            "tunewright.yaml:10: suites.skills: the built-in suite stands under no name but general, and is always"
            " measured. Give this suite other examples (test, or a chat JSONL file), or take it out.",
        ),
        (
            GOOD + "suites:\n  general: {examples: mine.jsonl}\n",
            "tunewright.yaml:10: suites.general: the name is kept for the built-in suite, which asks without the task's"
            " prompt. Write examples: general, or give a suite of your own another name.",
        ),
        (GOOD + "suites:\n  general: {limit: 12}\n", "Write examples: general, or give"),
        (
            GOOD + "gates: {min_scores: {json_shema: 0.9}}\n",
            "tunewright.yaml:9: gates.min_scores: the target suite has no grader json_shema. Did you mean json_schema?",
        ),
    ],
)
def test_one_clear_sentence(tmp_path, text, said):
    assert said in messages(tmp_path, text)[0]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            GOOD + "suites:\n  general: {exampels: general}\n",
            "tunewright.yaml:10: suites.general.exampels is not a setting. Did you mean examples?",
        ),
        (
            GOOD + "suites: {target: {graders: [{type: rouge}]}}\ngates: {min_scores: {rouge: 0.9}}\n",
            "tunewright.yaml:9: suites.target.graders.0: 'rouge' is not known here.",
        ),
        (
            GOOD.replace("json\n", "jsn\n")
            + "decoding: {constrained: true}\ngates: {min_scores: {exact_match: 1}}\n",
            "tunewright.yaml:4: task.output: 'jsn' is not known here.",
        ),
    ],
)
def test_a_wrong_field_makes_no_other_look_wrong(tmp_path, text, said):
    (message,) = messages(tmp_path, text)
    assert message.startswith(said)


@pytest.mark.parametrize(
    ("schema", "said"),
    [
        ("{", "the schema file schema.json is not JSON"),
        ("[1]", "this is not a JSON Schema: it is a list, not an object"),
        ('{"type": "objekt"}', "this is not a JSON Schema: 'objekt' is not valid"),
        ('{"$schema": 5}', "tunewright.yaml:6: `$schema` is not a text (at schema.$schema)"),
        ('{"$schema": "http://[x"}', "a reference that cannot be read (Invalid IPv6 URL)"),
        (
            '{"$ref": "#/$defs/no"}',
            "tunewright.yaml:6: the schema refers to '#/$defs/no', which is not in it",
        ),
        ('{"not":' * 200 + "{}" + "}" * 200, "tunewright.yaml:6: the schema is nested too deep"),
    ],
)
def test_a_schema_that_is_none(tmp_path, schema, said):
    assert said in messages(tmp_path, GOOD, schema=schema)[0]


def test_no_project_file_says_how_to_make_one(tmp_path):
    with pytest.raises(ProjectFileError, match="there is no project file"):
        read(tmp_path / "tunewright.yaml")


def test_a_setting_needs_a_name_and_a_value(tmp_path):
    with pytest.raises(ProjectFileError, match="Write it as name=value"):
        parse_setting("train.epochs")
    with pytest.raises(ProjectFileError, match="has no fields to set"):
        read(write(tmp_path, GOOD), {"name.first.x": 1})


def test_a_wrong_setting_is_not_blamed_on_the_file(tmp_path):
    path = write(tmp_path, GOOD)
    for text, said in [
        (
            "train.adapter.rnk=3",
            "--set train.adapter.rnk: train.adapter.rnk is not a setting. Did you mean rank?",
        ),
        ("train.epochs=0", "--set train.epochs: train.epochs should be greater than or equal to 1, not '0'"),
        ("train={", "--set train: the value '{' is not YAML. Put text with signs in it between quotes."),
    ]:
        with pytest.raises(ProjectFileError) as caught:
            read(path, dict([parse_setting(text)]))
        assert str(caught.value) == said
    assert read(path, dict([parse_setting("task.input={{ text }}")])).task.input == "{{ text }}"


def test_numbers_are_yaml_1_2(tmp_path):
    text = GOOD + "train: {learning_rate: 1e-3}\nprices: {currency: NO}\n"
    file = read(write(tmp_path, text))
    assert (file.train.learning_rate, file.prices.currency) == (0.001, "NO")


def test_numbers_have_an_end(tmp_path):
    text = GOOD + "train: {learning_rate: .inf, strength: .nan}\ngates:\n  max_general_loss: .inf\n"
    assert messages(tmp_path, text) == [
        "tunewright.yaml:9: train.learning_rate should be a finite number, not 'inf'",
        "tunewright.yaml:9: train.strength should be 'auto' or a finite number, not 'nan'",
        "tunewright.yaml:11: gates.max_general_loss should be a finite number, not 'inf'",
    ]


TOO_LARGE = (
    "with its aliases (*name) written out, this is larger than 1,000,000 bytes. Write what they name once, or leave them"
    " out."
)


def test_aliases_of_aliases_end(tmp_path):
    laughs = "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 9))
    assert messages(tmp_path, f"{GOOD}a0: &a0 [ha]\n{laughs}") == [f"tunewright.yaml: {TOO_LARGE}"]
    long = f"a: &a |\n  {'ha' * 30_000}\n"
    assert messages(tmp_path, f"{GOOD}{long}b: [{', '.join(['*a'] * 20)}]\n") == [
        f"tunewright.yaml: {TOO_LARGE}"
    ]
    deep = "".join(f"a{n}: &a{n} [*a{n - 1}]\n" for n in range(1, 1100))
    assert messages(tmp_path, f"{GOOD}a0: &a0 [ha]\n{deep}") == [
        "tunewright.yaml: values lie in one another too deeply. Write what aliases name in fewer layers."
    ]


def merging(keys: int, merges: int) -> str:
    rows = [f"b{n}: {{<<: *a}}" for n in range(merges)]
    return ", ".join([f"a: &a {{{', '.join(f'k{n}: 1' for n in range(keys))}}}", *rows])


def test_merges_end(tmp_path):
    text, said = merging(500, 900), "with merge keys (<<), a text of "
    with ends(20):
        (told,) = messages(tmp_path, f"{GOOD}more: {{{text}}}\n")
        with pytest.raises(ProjectFileError, match=r"^--set more: with merge keys"):
            parse_setting(f"more={{{text}}}")
        tagged = text.replace("<<", "!!merge m")
        assert said in messages(tmp_path, f"{GOOD}more: {{{tagged}}}\n")[0]
    itself = "this is not valid YAML: a merge key (<<) names what cannot be merged there."
    assert itself in messages(tmp_path, f"{GOOD}more: &a {{<<: *a}}\n")[0]
    size = f"{len(GOOD) + len(text) + 9:,} characters may have 53 aliases (*name), and this has more"
    assert told == f"tunewright.yaml: {said}{size}. Write out some of what is merged."


def test_stars_and_signs_in_a_prompt_are_no_merges(tmp_path):
    prompt = f"  system: |\n    cat <<EOF\n    {'*so* ' * 1001}\n"
    file = read(write(tmp_path, GOOD.replace("  system: Answer.\n", prompt)))
    assert file.task.system.count("*so*") == 1001


def test_aliases_and_merges_are_read(tmp_path):
    text = GOOD.replace(
        "{path: rows.csv}", "&rows {path: rows.csv, format: csv}\n  more: {<<: *rows, path: b.csv}"
    )
    file = read(write(tmp_path, text))
    assert [(source.path, source.format) for source in file.sources.values()] == [
        ("rows.csv", "csv"),
        ("b.csv", "csv"),
    ]


def test_the_written_page_is_the_models_page():
    from pathlib import Path

    from tunewright.project.page import page

    assert Path(__file__).parents[2].joinpath("docs/project-file.md").read_text() == page(), "run `make docs`"


def test_the_schema_is_json_schema():
    from jsonschema import Draft202012Validator

    from tunewright.project.file import ProjectFile

    schema = ProjectFile.model_json_schema()
    Draft202012Validator.check_schema(schema)
    assert json.dumps(schema)
    assert schema["properties"]["base"]["description"].startswith("The model to start from")


@pytest.mark.parametrize(
    ("setting", "place"),
    [
        ({"task.output.type": "json"}, "tunewright.yaml:2"),
        ({"suites.target.graders": 5}, "--set suites.target.graders"),
        ({"gates.min_scores": 5}, "--set gates.min_scores"),
        ({"train..rank": 3}, "--set"),
    ],
)
def test_a_wrong_setting_of_what_the_file_does_not_name_is_a_problem(tmp_path, setting, place):
    path = tmp_path / "tunewright.yaml"
    path.write_text(
        "name: a\ntask: {system: Hello.}\nsources: {rows: {path: rows.csv, columns: {input: a, expected: b}}}\n"
    )
    with pytest.raises(ProjectFileError) as caught:
        read(path, setting)
    assert {str(problem.where).removeprefix(f"{tmp_path}/") for problem in caught.value.problems} == {place}


def test_where_one_of_several_types_may_stand_they_are_named_in_one_sentence(tmp_path):
    column = "{type: validate, of: q, by: json_schema}"
    recipe = f"recipe:\n  - op: generate\n    columns:\n      q: {{type: uuid}}\n      ok: {column}\n"
    assert messages(tmp_path, GOOD + recipe) == [
        "tunewright.yaml:13: recipe.0.columns.ok.by should be 'python', 'sql' or 'json' or a mapping, not 'json_schema'"
    ]
