"""Bad input through the command line: one clear sentence, exit code 2, no traceback, nothing half-written."""

import json
import re
from pathlib import Path

import pytest

from mounts import TUNEWRIGHT, in_namespace, needs_mounts
from tunewright.store import alias
from tunewright.store.artifact import Derivation
from tunewright.store.store import Store

PROJECT = """\
name: tickets
task:
  output: {type: json, schema: schema.json}
sources:
  rows: {path: rows.csv, columns: {input: text, expected: answer}}
"""
SCHEMA = {"type": "object", "properties": {"kind": {"enum": ["bug", "praise"]}}, "required": ["kind"]}
BUG = '"{""kind"": ""bug""}"'
ROWS = "text,answer\n" + "".join(f"it broke {n},{BUG}\n" for n in range(40))


def project(
    folder: Path, rows: str | bytes = ROWS, text: str = PROJECT, schema: object = SCHEMA
) -> dict[str, bytes]:
    """Write a project with a release in production; returns its own files."""
    (folder / "tunewright.yaml").write_text(text)
    (folder / "schema.json").write_text(json.dumps(schema))
    (folder / "rows.csv").write_bytes(rows if isinstance(rows, bytes) else rows.encode())
    own = files(folder)
    store, derivation = Store(folder), Derivation(step="release", version="1", spec={})
    with store.lock():
        built = store.work(derivation) / "out"
        built.mkdir()
        (built / "release.json").write_text("{}")
        alias.promote(store.catalogue, store.publish(derivation, built, {}).id)
    return own


def files(folder: Path) -> dict[str, bytes]:
    """The files in a folder but the store's."""
    return {path.name: path.read_bytes() for path in folder.iterdir() if path.is_file()}


def assert_whole(folder: Path, own: dict[str, bytes]) -> None:
    """The user's files are as they were, the store has whole artifacts alone, and production names what it named."""
    assert files(folder) == own
    assert [path.name for path in folder.rglob("*.tmp")] == []
    store = Store(folder)
    assert sorted(path.name for path in (store.root / "artifacts").iterdir()) == store.names()
    for artifact in store.artifacts():
        artifact.verify()
    (release,) = (name for name in store.names() if name.startswith("release-"))
    assert alias.current(store.catalogue) == release


NO_BASE = "Give a folder that holds a model, or use `base: embedded`."
NO_SUITE = (
    "Name test, or a file of chat rows, or of input and expected, as it is seen from the project's folder."
)
NO_SCHEMA = "Give a JSON Schema: an object, in place or in a file that is named from the project's folder."
FEW_GROUPS = (
    "tunewright.yaml: split: train, dev and test need at least 3 groups of rows; by equal inputs these 1 rows make 1."
    " Add rows with other inputs; 30 is the least that gives three parts of any use."
)
CASES = {
    "broken YAML": (
        {"text": "name: [a\n"},
        "tunewright.yaml:2: this is not valid YAML: expected ',' or ']', but got '<stream end>'. Mend that line or the one"
        " before it; text with signs in it stands between quotes.",
    ),
    "an unknown key": (
        {"text": PROJECT + "spilt: {}\n"},
        "tunewright.yaml:6: spilt is not a setting. Did you mean split?",
    ),
    "no schema": (
        {"schema": {"type": 3}},
        "tunewright.yaml:3: this is not a JSON Schema: 3 is not valid under any of the given schemas (at schema.type). "
        + NO_SCHEMA,
    ),
    "a schema below a file": (
        {"text": PROJECT.replace("schema.json", "rows.csv/x.json")},
        "tunewright.yaml:3: the schema file rows.csv/x.json cannot be read: Not a directory. " + NO_SCHEMA,
    ),
    "an empty file": (
        {"rows": ""},
        "tunewright.yaml:5: sources.rows: the source has no rows (rows.csv is empty). Put rows into it, or leave it out.",
    ),
    "a header alone": (
        {"rows": "text,answer\n"},
        "tunewright.yaml:5: sources.rows: the source has no rows (rows.csv has a header and no rows). Put rows into it, or"
        " leave it out.",
    ),
    "a missing column": (
        {"rows": "txt,answer\nhello,1\n"},
        "rows.csv: there is no column 'text' for 'input'; the columns are txt, answer. Did you mean 'txt'?",
    ),
    "a wrong encoding": (
        {"rows": b"text,answer\ncaf\xe9,1\n"},
        "rows.csv:2: byte 0xE9 at offset 15 is not utf-8; the file reads as cp1252. Set encoding: cp1252 for this source, or"
        " save the file as UTF-8.",
    ),
    "one row": ({"rows": f"text,answer\nhello,{BUG}\n"}, FEW_GROUPS),
    "one row of 2 MB": ({"rows": f"text,answer\n{'a' * 2_000_000},{BUG}\n"}, FEW_GROUPS),
    "answers that are no JSON": (
        {"rows": "text,answer\n" + "hello,not json\n" * 50},
        "tunewright.yaml:5: sources.rows: 50 of 50 rows (100.00%) cannot be used, more than the budget of 1.00%. The first:"
        " rows.csv:2: answer is not JSON: Expecting value at character 1.",
    ),
    "no base": (
        {"text": PROJECT + "base: ./gone\n"},
        "tunewright.yaml:6: base: The base's folder ./gone does not exist. " + NO_BASE,
    ),
    "a base below a file": (
        {"text": PROJECT + "base: ./rows.csv/x\n"},
        "tunewright.yaml:6: base: The base's folder ./rows.csv/x does not exist. " + NO_BASE,
    ),
    "a file for a base": (
        {"text": PROJECT + "base: ./rows.csv\n"},
        "tunewright.yaml:6: base: The base ./rows.csv is a file, not a folder. " + NO_BASE,
    ),
    "a base in nobody's home": (
        {"text": PROJECT + "base: ~nobody-at-all/x\n"},
        "tunewright.yaml:6: base: There is no home folder to find ~nobody-at-all/x in. " + NO_BASE,
    ),
    "no source": (
        {"text": PROJECT.replace("rows.csv", "none.csv")},
        "tunewright.yaml:5: sources.rows.path: there is no file 'none.csv' in DIR. Did you mean 'rows.csv'?",
    ),
    "a source below a file": (
        {"text": PROJECT.replace("rows.csv", "rows.csv/x.csv")},
        "tunewright.yaml:5: sources.rows.path: there is no file 'rows.csv/x.csv' in DIR. Write the path as it is seen from"
        " that folder.",
    ),
    "no suite": (
        {"text": PROJECT + "suites: {mine: {examples: mine.jsonl}}\n"},
        f"tunewright.yaml:6: suites.mine.examples: there is no file 'mine.jsonl'. {NO_SUITE}",
    ),
    "a suite below a file": (
        {"text": PROJECT + "suites: {mine: {examples: rows.csv/x}}\n"},
        f"tunewright.yaml:6: suites.mine.examples: there is no file 'rows.csv/x'. {NO_SUITE}",
    ),
    "no pattern": (
        {"text": PROJECT + "suites:\n  target:\n    graders: [{type: json_valid}, {type: regex, pattern: '('}]\n"},
        'tunewright.yaml:8: suites.target.graders.1.pattern: "(" is not a regular expression: missing ) at position 1.'
        " Correct the pattern.",
    ),
    "no rival": (
        {"text": PROJECT + "baselines: {prompt: false, few_shot: []}\n"},
        "tunewright.yaml:6: baselines: with prompt: false and no few_shot there is no rival to compare the fine-tune with;"
        " keep one of them",
    ),
    "a wrong number": (
        {"text": PROJECT + "decoding: {max_new_tokens: 0}\n"},
        "tunewright.yaml:6: decoding.max_new_tokens should be greater than or equal to 1, not '0'",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("changes", "said"), CASES.values(), ids=CASES)
@pytest.mark.parametrize("command", ["check", "run"])
def test_bad_input_is_one_clear_sentence(cli, tmp_path, command, changes, said):
    own = project(tmp_path, **changes)
    code, _, message = cli(command)
    assert code == 2
    assert f"error: {said}" in message.replace(str(tmp_path), "DIR")
    assert (message.count("error:"), "Traceback" in message) == (1, False)
    assert_whole(tmp_path, own)


def parted_rows(part: str) -> str:
    """40 good rows that say their part, and one of 2 MB in `part`."""
    parts = ["train"] * 30 + ["dev"] * 5 + ["test"] * 5
    rows = [f"it broke {number},{BUG},{name}\n" for number, name in enumerate(parts)]
    return "".join(["text,answer,part\n", *rows, f"{'a' * 2_000_000},{BUG},{part}\n"])


@pytest.mark.parametrize(
    ("part", "said"),
    [
        ("train", "1 rows are longer than train.max_length and would be cut through their answer (2000"),
        ("dev", "1 rows are longer than train.max_length and would be cut through their answer (2000"),
        ("test", "1 examples of suites cannot be asked: with room for its answer the longest has 2,000,"),
    ],
)
def test_a_row_of_2_mb_among_good_ones(cli, tmp_path, part, said):
    own = project(tmp_path, parted_rows(part), PROJECT + "split: {column: part}\n")
    code, _, message = cli("check")
    assert code == 2
    assert f"error: rows.csv:42: {said}" in message
    assert message.endswith(
        "or choose a base that takes more." if part == "test" else "or set train.over_long to drop or cut."
    )
    assert message.count("error:") == 1
    assert_whole(tmp_path, own)


def test_the_way_out_of_a_row_of_2_mb(cli, tmp_path):
    text = PROJECT + "split: {column: part}\nrecipe: [{op: max_chars, chars: 5000}]\n"
    project(tmp_path, parted_rows("test"), text)
    assert cli("check", "--no-rows").code == 0


def test_a_long_row_of_a_suites_file(cli, tmp_path):
    own = project(tmp_path, text=PROJECT + "suites: {mine: {examples: mine.jsonl}}\n")
    talks = [
        [{"role": "user", "content": words}, {"role": "assistant", "content": '{"kind": "bug"}'}]
        for words in ("a crash", "a crash " * 3000)
    ]
    (tmp_path / "mine.jsonl").write_text("".join(json.dumps({"messages": talk}) + "\n" for talk in talks))
    own["mine.jsonl"] = (tmp_path / "mine.jsonl").read_bytes()
    code, _, message = cli("check")
    assert (code, message.count("error:")) == (2, 1)
    assert "error: mine.jsonl:2: 1 examples of suites cannot be asked" in message
    assert_whole(tmp_path, own)


def test_check_shows_every_problem_at_once(cli, tmp_path):
    text = (
        PROJECT + "base: ./gone\nsuites:\n  x: {examples: x.jsonl, graders: [{type: regex, pattern: '['}]}\n"
    )
    own = project(tmp_path, "txt,answer\nhello,1\n", text)
    code, _, message = cli("check")
    assert code == 2
    for said in (
        "error: rows.csv: there is no column 'text'",
        "error: tunewright.yaml:6: base: The base's folder ./gone does not exist",
        "error: tunewright.yaml:8: suites.x.graders.0.pattern: \"[\" is not a regular expression",
        "error: tunewright.yaml:8: suites.x.examples: there is no file 'x.jsonl'",
    ):  # fmt: skip
        assert said in message
    assert message.count("error:") == 4
    assert_whole(tmp_path, own)


FAULTY = (
    "name: tickets\ntask:\n  output: {type: json, schema: schema.json}\nsources:\n  rows: {path: none.csv}\n"
    "spilt: {}\nbase: ./gone\nsuites:\n  mine: {examples: mine.jsonl}\ngates:\n  min_scores: {json_shema: 0.9}\n"
)


@pytest.mark.parametrize("command", ["check", "run", "status"])
def test_a_wrong_field_hides_no_other_problem(cli, tmp_path, command):
    project(tmp_path, text=FAULTY, schema={"type": 3})
    code, _, message = cli(command)
    assert code == 2
    lines = message.replace(str(tmp_path), "DIR").split("error: ")
    assert [line.strip() for line in lines[1:]] == [
        "tunewright.yaml:3: this is not a JSON Schema: 3 is not valid under any of the given schemas (at schema.type). "
        + NO_SCHEMA,
        "tunewright.yaml:5: sources.rows.path: there is no file 'none.csv' in DIR. Did you mean 'rows.csv'?",
        "tunewright.yaml:6: spilt is not a setting. Did you mean split?",
        "tunewright.yaml:7: base: The base's folder ./gone does not exist. " + NO_BASE,
        f"tunewright.yaml:9: suites.mine.examples: there is no file 'mine.jsonl'. {NO_SUITE}",
        "tunewright.yaml:11: gates.min_scores: the target suite has no grader json_shema. Did you mean json_schema?",
    ]


def test_a_folder_without_a_project(cli, tmp_path):
    for command in ("run", "check", "status"):
        said = "error: tunewright.yaml: there is no project file. Make one with `tunewright init NAME --data FILE`."
        assert cli(command) == (2, "", said)
    assert list(tmp_path.iterdir()) == []


def test_a_mistyped_command_and_step(cli, tmp_path):
    own = project(tmp_path)
    assert cli("chekc").err.endswith("there is no command 'chekc'. Did you mean check?")
    assert "there is no step 'trian'" in cli("run", "trian").err
    assert_whole(tmp_path, own)


def test_a_wrong_setting_is_named_as_it_was_given(cli, tmp_path):
    own = project(tmp_path)
    said = cli("check", "--set", "base=./gone")
    assert said.code == 2
    assert said.err.startswith("error: --set base: The base's folder ./gone does not exist. Give a folder")
    assert_whole(tmp_path, own)


@pytest.mark.parametrize("name", ["data.csv", "split.train.csv", "sources.rows.csv"])
def test_a_data_file_named_like_a_field_is_a_file(cli, tmp_path, name):
    own = project(tmp_path, text=PROJECT.replace("rows.csv", name))
    (tmp_path / name).write_text("txt,answer\nhello,1\n")
    own[name] = (tmp_path / name).read_bytes()
    assert cli("check").err.startswith(f"error: {name}: there is no column 'text'")
    assert_whole(tmp_path, own)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("init", "."), "tunewright.yaml: there is a project here already. Choose another name."),
        (
            ("init", "rows.csv", "--data", "rows.csv"),
            "rows.csv: this is a file, and the project needs a folder. Choose another name.",
        ),
        (
            ("init", "rows.csv/sub", "--data", "rows.csv"),
            "rows.csv: this is a file, and the project needs a folder. Choose another name.",
        ),
        (("init", "mine", "--data", "row.csv"), "row.csv: there is no such data file. Did you mean 'rows.csv'?"),
        (
            ("init", "mine", "--data", "rows.csv/x"),
            "rows.csv/x: there is no such data file. Name a file of rows, as it is seen from here.",
        ),
        (("init", "m" * 300, "--data", "rows.csv"), "the name is too long. What was finished stands;"),
        (("doctor", "-p", "nowhere"), "nowhere: there is no such folder. Name a folder that is there."),
        (("doctor", "-p", "rows.csv/x"), "rows.csv/x: there is no such folder. Name a folder that is there."),
        (("check", "-p", "nowhere"), "nowhere: there is no project file. Make one with `tunewright init"),
        (("run", "-p", "rows.csv/x"), "rows.csv/x: there is no project file. Make one with `tunewright init"),
        (("status", "-p", "m" * 300), "the name is too long. What was finished stands;"),
    ],
    ids=lambda value: " ".join(value)[:40] if isinstance(value, tuple) else "",
)  # fmt: skip
def test_a_path_that_leads_nowhere(cli, tmp_path, arguments, said):
    own = project(tmp_path)
    code, _, message = cli(*arguments)
    assert (code, message.count("error:"), "Traceback" in message) == (2, 1, False)
    assert said in message
    assert_whole(tmp_path, own)


def test_init_with_missing_data_writes_nothing(cli, tmp_path):
    code, _, message = cli("init", "mine", "--data", "none.csv")
    said = "error: none.csv: there is no such data file. Name a file of rows, as it is seen from here."
    assert (code, message) == (2, said)
    assert list(tmp_path.iterdir()) == []


def full_disk(folder: Path, size: str, commands: str) -> tuple[int, str, Path]:
    """Run commands in a copy of a project on a small disk: the exit code, what was said, and a copy of what was left."""
    disk, left = folder / "disk", folder / "left"
    disk.mkdir()
    left.mkdir()
    done = in_namespace(
        f"mount -t tmpfs -o size={size} none {disk}; cp -a {folder}/.tunewright {folder}/*.* {disk}\n"
        f"cd {disk}; code=0; {{ {commands}\n}} || code=$?; cp -a {disk}/. {left}; exit $code"
    )
    return done.returncode, done.stderr, left


@needs_mounts
def test_a_full_disk(tmp_path):
    own = project(tmp_path)
    code, said, left = full_disk(tmp_path, "76k", f"{TUNEWRIGHT} run split")
    assert (code, "Traceback" in said, said.count("error:")) == (2, False, 1)
    assert f"error: {tmp_path}/disk/.tunewright" in said
    assert "disk is full" in said
    assert {name.partition("-")[0] for name in Store(left).names()} == {"release", "ingest"}
    assert_whole(left, own)


@needs_mounts
def test_a_full_disk_at_init_leaves_no_folder(tmp_path):
    (tmp_path / "rows.csv").write_text(ROWS)
    (tmp_path / "disk").mkdir()
    done = in_namespace(
        f"mount -t tmpfs -o size=4k none {tmp_path}/disk; cd {tmp_path}/disk; head -c 4096 /dev/zero > full\n"
        f"{TUNEWRIGHT} init a/b --data ../rows.csv || code=$?; ls; exit $code"
    )
    assert (done.returncode, done.stdout) == (2, "full\n")
    assert (
        done.stderr
        == "error: a/b/tunewright.yaml: the disk is full. What was finished stands; mend it and run again.\n"
    )


SMALL = """\
name: tickets
task: {system: Answer.}
base: BASE
sources: {rows: {path: rows.csv, columns: {input: text, expected: answer}}}
suites: {target: {examples: test, graders: [{type: exact_match}]}}
train: {epochs: 1, max_length: 256, adapter: {kind: full}, precision: fp32}
"""


@needs_mounts
@pytest.mark.parametrize(("size", "place"), [("400k", ""), ("660k", "/work/train-[0-9a-f]+/out/adapter")])
def test_a_full_disk_in_training(cli, tmp_path, tiny_folder, size, place):
    """In a checkpoint, and when the whole model is saved. What was finished stands; with room made it goes on."""
    rows = "text,answer\n" + "".join(f"How much is {n}?,{n} euros.\n" for n in range(40))
    own = project(tmp_path, rows, SMALL.replace("BASE", str(tiny_folder)))
    code, said, left = full_disk(tmp_path, size, f"{TUNEWRIGHT} train")
    assert (code, "Traceback" in said, said.count("error:")) == (2, False, 1)
    full = "the disk is full. What was finished stands; mend it and run again."
    assert re.search(f"error: {tmp_path}/disk/.tunewright{place}: {full}", said)
    done = ["gate", "ingest", "prepare", "recipe.drop_duplicates", "rehearse", "release", "split"]
    assert [name.partition("-")[0] for name in Store(left).names()] == done
    assert_whole(left, own)
    assert cli("train", "-p", str(left)).code == 0
    assert [name.partition("-")[0] for name in Store(left).names()] == [*done, "train"]
    assert_whole(left, own)


@needs_mounts
@pytest.mark.parametrize(
    ("command", "place"), [("run split", "/.tunewright/"), ("init mine --data rows.csv", "mine")]
)
def test_a_read_only_folder(tmp_path, command, place):
    own = project(tmp_path)
    done = in_namespace(
        f"mount --bind {tmp_path} {tmp_path}; mount -o remount,ro,bind {tmp_path}; cd {tmp_path}; {TUNEWRIGHT} {command}"
    )
    assert (done.returncode, "Traceback" in done.stderr, done.stderr.count("error:")) == (2, False, 1)
    assert place in done.stderr
    assert "the folder is read-only" in done.stderr
    assert not (tmp_path / "mine").exists()
    assert_whole(tmp_path, own)
