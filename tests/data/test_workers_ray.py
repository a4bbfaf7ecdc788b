"""`data.scale: ray` against a real cluster on this machine: the same bytes as the local way."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

import tunewright
from tunewright.core.errors import UserError
from tunewright.data import workers_ray
from tunewright.data.workers import sharing

PROJECT = """\
name: scale
task: {system: Say the kind.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
recipe: [{op: clean}, {op: sample, rows: 2}]
"""


def on_ray(folder: Path, what: str, **env: str) -> str:
    pytest.importorskip("ray")
    script = Path(__file__).with_name("on_ray.py")
    done = subprocess.run(
        [sys.executable, str(script), str(folder), what],
        capture_output=True,
        text=True,
        env={**os.environ, **env},
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return "\n".join(line[2:] for line in done.stdout.splitlines() if line.startswith("> "))


def test_both_ways_leave_the_same_bytes(tmp_path: Path) -> None:
    files = "account.json changed.jsonl dropped.jsonl rows.jsonl"
    assert on_ray(tmp_path, "same") == "\n".join(
        f"{op} {files}" for op in ("clean", "drop_duplicates", "filter")
    )


def test_what_the_work_raises_is_raised_as_it_is(tmp_path: Path) -> None:
    said = on_ray(tmp_path, "error")
    assert said.startswith("recipe, filter.keep: of example ")
    assert said.endswith("there is no value ('nope' is undefined); it has n, input, expected, rejected, desirable,"
                         " turns, chars, source. Ask `name is defined` first, where not every row has it.")  # fmt: skip


def test_a_cluster_that_is_not_there_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("ray")
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nobody = f"127.0.0.1:{taken.getsockname()[1]}"
    monkeypatch.setenv("RAY_ADDRESS", nobody)
    with sharing("ray", 2) as workers, pytest.raises(UserError) as caught:
        list(workers.each(str, [1]))
    assert str(caught.value) == (
        f"data.scale: the Ray cluster at {nobody} does not answer (Connection refused)."
        " Look at RAY_ADDRESS, or leave scale out."
    )


@pytest.mark.slow
def test_a_machine_that_is_lost_changes_nothing(tmp_path: Path) -> None:
    assert on_ray(tmp_path, "lost") == "the same"


def test_without_the_package_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(workers_ray, "find_spec", lambda name: None)
    with pytest.raises(UserError) as caught, sharing("ray", 2):
        pass
    assert str(caught.value) == (
        "data.scale: `scale: ray` needs a package that is not installed. pip install 'tunewright[ray]', or leave scale out:"
        " one machine's processes do the same."
    )


def test_the_scale_is_no_part_of_what_is_made(tmp_path: Path) -> None:
    (tmp_path / "rows.csv").write_text("text,kind\nWhere is it?,delivery\nWhere is it?,delivery\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    tunewright.open(tmp_path).run("prepare")
    other = tunewright.open(tmp_path, settings={"data.scale": "ray"})
    assert [entry.state for entry in other.plan()][:2] == ["fresh", "fresh"]


def test_what_is_worked_here_all_the_same_is_told(tmp_path: Path) -> None:
    pytest.importorskip("ray")
    (tmp_path / "rows.csv").write_text("text,kind\nWhere is it?,delivery\nWhere was it?,delivery\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    events: list[tuple[str, dict]] = []
    project = tunewright.open(tmp_path, settings={"data.scale": "ray"})
    project.run("prepare", lambda event: events.append((event.kind, event.data)))
    assert ("prepare.here", {"operations": ["sample"]}) in events


def test_a_machine_that_was_left_behind_does_no_work() -> None:
    assert workers_ray.work_on(str, 1, workers_ray.version()) == "1"
    with pytest.raises(UserError) as caught:
        workers_ray.work_on(str, 1, "0.0.0")
    assert str(caught.value) == (
        f"data.scale: a machine of the Ray cluster has tunewright {workers_ray.version()}, and here is 0.0.0."
        " Install the same version on all of them, with the same extras."
    )


def test_a_cluster_without_cores_is_told(tmp_path: Path) -> None:
    assert on_ray(tmp_path, "idle") == (
        "data.scale: the Ray cluster has no machine with a core for work. Look at `ray status`."
    )
