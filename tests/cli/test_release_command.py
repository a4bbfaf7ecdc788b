"""`tunewright release` and `report`: the alias moved by hand, the page printed and opened."""

import sys
import webbrowser
from pathlib import Path

import pytest

from tunewright.project.stages.reporting import REPORT
from tunewright.store.artifact import Derivation
from tunewright.store.store import Store

PROJECT = "name: n\ntask: {system: s}\nsources: {rows: {path: rows.csv}}\n"


def publish(store: Store, step: str, file: str, text: str) -> str:
    """An artifact of one file, its run recorded; returns its name."""
    derivation = Derivation(step=step, version="1", spec={"text": text})
    run = store.catalogue.start_run(step, derivation.id)
    built = store.work(derivation) / "out"
    (built / file).parent.mkdir(parents=True)
    (built / file).write_text(text)
    name = store.publish(derivation, built, {}).id
    store.catalogue.end_run(run, "done")
    return name


@pytest.fixture
def store(tmp_path: Path) -> Store:
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    (tmp_path / "rows.csv").write_text("input,expected\nq,a\n")
    store = Store(tmp_path)
    with store.lock():
        pass
    return store


def test_releases_are_promoted_and_rolled_back(cli, store):
    first, second = (publish(store, "release", "release.json", text) for text in ("{}", "[]"))
    assert cli("release", "promote", first) == (0, f"production → {first}", "")
    assert cli("release", "rollback") == (
        2,
        "",
        "error: production names its first release: there is none before to return to. `tunewright release` lists them,"
        " `tunewright release promote` chooses one.",
    )
    assert cli("release", "promote", "release").out == f"production → {second}"  # the newest
    assert cli("release", "promote", second).err == f"error: production names {second} already"
    assert cli("release", "rollback") == (0, f"production → {first}", "")
    assert cli("release", "promote", "--alias", "canary", second).out == f"canary → {second}"
    assert cli("release", "rollback", "--alias", "canary").code == 2
    moves = cli("release").out
    assert [moves.count(word) for word in (first, second, "promote", "rollback", "canary")] == [2, 1, 2, 1, 0]


def test_what_is_no_release_is_not_promoted(cli, store):
    train = publish(store, "train", "train.json", "{}")
    assert cli("release", "promote", train).err == (
        f"error: {train} is no release. `tunewright lineage release` names the newest."
    )
    assert cli("release", "promote", "gone").code == 2
    assert store.catalogue.alias_moves("production") == []


def test_a_release_that_was_changed_is_not_promoted(cli, store):
    name = publish(store, "release", "release.json", "{}")
    changed = store.root / "artifacts" / name / "release.json"
    changed.chmod(0o644)
    changed.write_text("[]")
    assert cli("release", "promote", name).code == 2
    assert store.catalogue.alias_moves("production") == []


def browser(monkeypatch: pytest.MonkeyPatch, *command: str) -> None:
    """Let a command be the only browser there is."""
    monkeypatch.setattr(webbrowser, "_browsers", {"mine": [None, webbrowser.GenericBrowser(command)]})
    monkeypatch.setattr(webbrowser, "_tryorder", ["mine"])


def test_the_report_is_printed_and_opened(cli, store, tmp_path, monkeypatch):
    page = store.root / "artifacts" / publish(store, "report", REPORT, "<html>") / REPORT
    note = "import pathlib, sys; pathlib.Path(sys.argv[1]).write_text(sys.argv[2])"
    browser(monkeypatch, sys.executable, "-c", note, str(tmp_path / "opened"), "%s")
    shown = str(page.relative_to(tmp_path))
    assert cli("report") == (0, shown, "")
    assert not (tmp_path / "opened").exists()
    assert cli("report", "--open") == (0, shown, "")
    assert (tmp_path / "opened").read_text() == page.as_uri()


def test_without_a_browser_the_report_is_named_all_the_same(cli, store, monkeypatch):
    page = store.root / "artifacts" / publish(store, "report", REPORT, "<html>") / REPORT
    browser(monkeypatch, sys.executable, "-c", "raise SystemExit(1)", "%s")
    shown = str(page.relative_to(store.root.parent))
    assert cli("report", "--open") == (0, shown, "No browser could be opened: open that file yourself.")
