import fcntl
import os
import shutil
import time

import pytest

from tunewright.core.errors import IntegrityError, UserError
from tunewright.core.files import write_json
from tunewright.store import alias, lineage
from tunewright.store.artifact import Artifact, Derivation
from tunewright.store.store import Store


def derivation(step: str = "ingest", inputs: dict[str, Artifact] | None = None, **spec: object) -> Derivation:
    refs = {name: artifact.ref for name, artifact in (inputs or {}).items()}
    return Derivation(step=step, version="1", spec=spec, inputs=refs)


def make(store: Store, what: Derivation, content: object = "rows", measured: object = None) -> Artifact:
    out = store.work(what) / "out"
    out.mkdir()
    write_json(out / "data.json", content)
    if measured is not None:
        (out / "measured").mkdir()
        write_json(out / "measured" / "times.json", measured)
    return store.publish(what, out, {"tunewright": "0"})


def test_an_artifact_is_found_by_what_made_it(tmp_path):
    store = Store(tmp_path)
    made = make(store, derivation(rows=3))
    assert store.find(derivation(rows=3)) == made
    assert store.find(derivation(rows=4)) is None
    assert list((tmp_path / ".tunewright/work").iterdir()) == []


def test_measured_files_do_not_count_as_content(tmp_path):
    store = Store(tmp_path)
    first = make(store, derivation(n=1), measured=[0.1])
    second = make(store, derivation(n=2), measured=[0.7])
    assert first.manifest.content == second.manifest.content
    assert first.file("measured/times.json").is_file()


def test_equal_inputs_under_another_name_leave_what_follows_fresh(tmp_path):
    store = Store(tmp_path)
    first, second = make(store, derivation(n=1)), make(store, derivation(n=2))
    assert derivation("split", {"ingest": first}).key == derivation("split", {"ingest": second}).key


def test_a_changed_file_is_noticed(tmp_path):
    made = make(Store(tmp_path), derivation())
    made.verify()
    made.file("data.json").write_text("other")
    with pytest.raises(IntegrityError, match=r"data\.json is missing or was changed"):
        made.verify()


@pytest.mark.parametrize("meddle", ["extra", "manifest"])
def test_what_does_not_belong_is_noticed(tmp_path, meddle):
    made = make(Store(tmp_path), derivation())
    if meddle == "extra":
        made.file("more.json").write_text("{}")
    else:
        manifest = made.file("manifest.json")
        manifest.write_text(manifest.read_text().replace('"version": "1"', '"version": "2"'))
    with pytest.raises(IntegrityError, match=r"does not belong|contradicts itself"):
        Store(tmp_path).artifacts()[0].verify()


def test_lineage_notices_a_rebuilt_input_and_a_missing_one(tmp_path):
    store = Store(tmp_path)
    rows = make(store, derivation())
    split = make(store, derivation("split", {"ingest": rows}))
    shutil.rmtree(rows.path)
    assert lineage.ancestors(store, split).missing == [rows.id]
    make(store, derivation(), "other rows")
    with pytest.raises(IntegrityError, match="made from another content of ingest"):
        lineage.ancestors(store, split).verify()


def test_a_kill_right_after_publishing_is_settled(tmp_path):
    store = Store(tmp_path)
    what = derivation()
    store.catalogue.start_run("ingest", what.id)
    make(store, what)
    store.work(what)
    store.settle(what.id)
    assert [run.status for run in store.catalogue.runs()] == ["done"]
    assert list((tmp_path / ".tunewright/work").iterdir()) == []


def test_scratch_is_swept_after_a_week(tmp_path):
    store = Store(tmp_path)
    old, new = store.work(derivation(n=1)), store.work(derivation(n=2))
    week_ago = time.time() - 8 * 24 * 3600
    os.utime(old, (week_ago, week_ago))
    store.sweep()
    assert list((tmp_path / ".tunewright/work").iterdir()) == [new]


def test_reading_makes_no_folder(tmp_path):
    store = Store(tmp_path)
    assert (store.find(derivation()), store.catalogue.runs(), store.artifacts()) == (None, [], [])
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_catalogue_says_what_is_lost(tmp_path):
    (tmp_path / ".tunewright").mkdir()
    (tmp_path / ".tunewright/catalogue.sqlite").write_bytes(b"not a database" * 100)
    with pytest.raises(UserError, match=r"the catalogue is damaged: .* Move the file away"):
        Store(tmp_path).catalogue.runs()


def test_one_process_holds_the_project(tmp_path):
    with Store(tmp_path).lock(), pytest.raises(UserError, match="another tunewright"), Store(tmp_path).lock():
        pass


def test_who_asks_whether_it_is_held_stops_nobody(tmp_path, monkeypatch):
    store = Store(tmp_path)
    with store.lock():
        pass
    with (tmp_path / ".tunewright" / "lock").open() as asking:
        fcntl.flock(asking, fcntl.LOCK_SH)
        monkeypatch.setattr(time, "sleep", lambda _: fcntl.flock(asking, fcntl.LOCK_UN))
        with store.lock():
            assert time.time() - (tmp_path / ".tunewright" / "lock").stat().st_mtime < 3600


def test_production_can_be_rolled_back_and_is_not_promoted_twice(tmp_path):
    catalogue = Store(tmp_path).catalogue
    assert alias.promote(catalogue, "release-a")
    assert alias.promote(catalogue, "release-b")
    assert not alias.promote(catalogue, "release-b")
    assert alias.rollback(catalogue) == "release-a"
    assert alias.current(catalogue) == "release-a"
    assert alias.withdrawn(catalogue) == {"release-b"}
    with pytest.raises(UserError, match="names its first release"):
        alias.rollback(catalogue)
    alias.promote(catalogue, "release-c")
    assert alias.history(catalogue) == ["release-a", "release-c"]


def test_rolling_back_nothing_says_so(tmp_path):
    with pytest.raises(UserError, match="names no release yet"):
        alias.rollback(Store(tmp_path).catalogue)


def test_lineage_reaches_every_ancestor_once(tmp_path):
    store = Store(tmp_path)
    rows = make(store, derivation("ingest"))
    split = make(store, derivation("split", {"ingest": rows}))
    gate = make(store, derivation("gate", {"split": split}), "checked")
    train = make(store, derivation("train", {"split": split, "gate": gate}), "adapter")
    store.catalogue.move_alias("production", "promote", train.id)
    found = lineage.ancestors(store, lineage.resolve(store, "production")).ancestors
    assert [(a.artifact.id, a.depth) for a in found] == [
        (train.id, 0),
        (split.id, 1),
        (gate.id, 1),
        (rows.id, 2),
    ]


def test_an_unknown_reference_names_what_there_is(tmp_path):
    store = Store(tmp_path)
    made = make(store, derivation())
    assert lineage.resolve(store, "ingest") == made
    with pytest.raises(UserError, match="Known here: ingest"):
        lineage.resolve(store, "prodution")


def test_a_step_names_its_newest_artifact(tmp_path):
    store = Store(tmp_path)
    for n in (1, 2):
        what = derivation(n=n)
        run = store.catalogue.start_run("ingest", what.id)
        newest = make(store, what)
        store.catalogue.end_run(run, "done")
    assert lineage.resolve(store, "ingest") == newest


def test_a_run_cut_off_is_recorded_as_interrupted(tmp_path):
    catalogue = Store(tmp_path).catalogue
    catalogue.start_run("train", "train-1")
    again = catalogue.start_run("train", "train-1")
    catalogue.end_run(again, "done")
    assert [run.status for run in catalogue.runs("train-1")] == ["interrupted", "done"]
