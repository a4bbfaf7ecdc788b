"""The Python API: a documented call for each command, types by name, cheap to import, the page's example as it stands."""

import ast
import inspect
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import click
import pytest

import tunewright as tw
from tunewright.cli.main import COMMANDS, cli
from tunewright.project.project import Project
from tunewright.train.spec import TrainSpec

ROOT = Path(__file__).parents[1]
PAGE = (ROOT / "docs" / "python.md").read_text("utf-8")
PROJECT = "name: n\ntask: {system: s}\nsources: {rows: {path: rows.csv}}\n"


def commands() -> set[str]:
    """Every command of the command line, those of a group too."""
    found = set()
    context = click.Context(cli)
    for name in COMMANDS:
        command = cli.get_command(context, name)
        found.add(name)
        if isinstance(command, click.Group):
            found |= {f"{name} {below}" for below in command.commands}
    return found


def documented() -> dict[str, tuple[list[str], str]]:
    """Command → the calls that the page names, and what it says they give."""
    rows = [line.strip("| ").split(" | ") for line in PAGE.splitlines() if line.startswith("| `tunewright ")]
    return {
        command.strip("`").removeprefix("tunewright "): (re.findall(r"`([^`]+)`", calls), gives)
        for command, calls, gives in rows
    }


def test_every_command_has_a_documented_call():
    named = {re.sub(r" [A-Z]+$", "", command) for command in documented()}
    assert named == commands()
    for calls, gives in documented().values():
        for call in calls:
            home, name = re.match(r"(tw|project)\.(\w+)\(", call).groups()
            function = getattr({"tw": tw, "project": Project}[home], name)
            returns = str(inspect.signature(function).return_annotation)
            assert inspect.getdoc(function), call
            assert re.match(r"(?:an? )?(?:list of )?`(\w+)`", gives)[1] in returns, call
            compile(call, "docs/python.md", "eval")


def test_what_a_project_gives_is_found_by_name():
    plain = {"None", "bool", "dict", "list", "str", "tuple", "Path"}
    for name, method in inspect.getmembers(Project, callable):
        if not name.startswith("_"):
            returns = inspect.signature(method).return_annotation
            words = set(
                re.findall(r"\w+", returns if isinstance(returns, str) else inspect.formatannotation(returns))
            )
            given = {word for word in words if word[0].isupper() or word in plain} - plain
            assert given <= set(dir(tw)), name


def test_types_are_listed_and_found():
    tree = ast.parse(Path(tw.__file__).read_text("utf-8"))
    (typed,) = [node for node in tree.body if isinstance(node, ast.If) and not node.orelse]
    seen = {
        (node.module.removeprefix("tunewright."), alias.name)
        for node in typed.body
        if isinstance(node, ast.ImportFrom) and node.module.startswith("tunewright.")
        for alias in node.names
    }
    assert seen == {(module, name) for module, names in tw._HOMES.items() for name in names}
    for _, name in seen:
        assert name in dir(tw)
        assert getattr(tw, name) is not None
    with pytest.raises(AttributeError, match="has no attribute 'nope'"):
        _ = tw.nope


def test_importing_it_is_cheap():
    code = "import sys, tunewright\ndir(tunewright)\nprint(len(sys.modules), 'pydantic' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    modules, pydantic = done.stdout.split()
    assert int(modules) <= 120
    assert pydantic == "False"


def test_train_tells_of_itself():
    code = (  # in a process of its own: whatever was imported before
        "import inspect, tunewright as tw\n"
        "print(list(inspect.signature(tw.train).parameters), '2305.18290' in tw.train.__doc__)\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "['path', 'settings', 'listen'] True\n"
    for unit in ("in bytes", "Unix seconds", "`seconds_left`", "in nats", "[out, in]"):
        assert unit in tw.train.__doc__
    for error in (
        *("ProjectFileError", "DataError", "ModelError", "GateError", "ProblemsError", "UserError"),
        "OSError",
    ):
        assert re.search(rf"\b{error}\b", tw.train.__doc__)


def test_train_tells_of_every_event_of_training():
    """And of none that is not there: those that the source emits."""
    sources = Path(tw.__file__).parent.joinpath("train").rglob("*.py")
    emitted = {
        kind for source in sources for kind in re.findall(r'emit\(\s*"(train\.[a-z_]+)"', source.read_text())
    }
    assert len(emitted) > 12
    told = re.findall(r"`(train\.[a-z_]+)`", tw.train.__doc__)
    settings = {f"train.{name}" for name in TrainSpec.model_fields if name not in ("strength",)}
    assert {*told} - settings == emitted


def test_train_names_every_paper_of_its_settings():
    """Those that the settings and the losses name."""
    folder = Path(tw.__file__).parent / "train"
    sources = [folder / "spec.py", folder / "optimizer.py", *(folder / "methods").glob("*.py")]
    papers = {
        paper for source in sources for paper in re.findall(r"arXiv:(\d{4}\.\d{5})", source.read_text())
    }
    assert len(papers) > 12
    assert papers - {*re.findall(r"arXiv:(\d{4}\.\d{5})", tw.train.__doc__)} == set()


def test_an_unknown_step_is_a_user_error(tmp_path):
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    with pytest.raises(
        tw.UserError, match="there is no step 'nope'; the steps are ingest, prepare, split, gate, "
    ):
        tw.open(tmp_path).run("nope")


def test_nothing_was_released_yet(tmp_path):
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    project = tw.open(tmp_path)
    assert project.releases() == []
    project.store.catalogue.move_alias("production", "promote", "release-1")
    (move,) = project.releases()
    assert (move.move, move.release) == ("promote", "release-1")
    assert isinstance(move, tw.AliasMove)


def test_the_example_does_what_the_page_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    example = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[0]
    names: dict[str, object] = {}
    exec(compile(example, "docs/python.md", "exec"), names)
    states = names["states"]
    assert isinstance(states, dict)
    assert [step for step, state in states.items() if state == "fresh"] == [
        "ingest",
        "prepare",
        "split",
        "gate",
    ]
    assert names["found"].problems == []
    said = capsys.readouterr().out
    assert said.startswith("Passes over the training rows, at most.")
    assert said.endswith("step.fresh\nstep.fresh\nstep.fresh\nstep.fresh\n")


def test_a_recipe_alone_does_what_the_page_says(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    exec(compile(re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)[2], "docs/python.md", "exec"), {})
    assert capsys.readouterr().out.splitlines() == [
        "filter 40 38",
        "drop_duplicates 38 30",
        "map 30 30",
        "{'weight': 0, 'heavy': False}",
    ]


def test_readme_has_a_project_file_that_can_be_read(tmp_path):
    from tunewright.project.reading import read

    readme = (ROOT / "README.md").read_text("utf-8")
    section = readme.partition("## The project file in ten lines\n\n")[2].partition("\n\n")[0]
    assert len(section.splitlines()) == 10
    (tmp_path / "tunewright.yaml").write_text(textwrap.dedent(section))
    (tmp_path / "schema.json").write_text('{"type": "object"}')
    file = read(tmp_path / "tunewright.yaml")
    assert (file.name, file.base, file.train.adapter.rank) == ("my-tickets", "embedded", 16)
    assert file.sources["tickets"].columns == {"input": "text", "expected": "answer"}
    assert file.answering.json_schema == {"type": "object"}
    assert file.gates.min_scores == {"json_schema": 0.99}
