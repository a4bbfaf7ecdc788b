"""Counting free cores, and giving memory back."""

import gc
import sys
import weakref

import psutil
import pytest

from tunewright.core.errors import UserError
from tunewright.models import machine
from tunewright.models.machine import _quota, free_cores, give_back_memory, machine_facts, settled_objects


def test_threads_from_the_environment(monkeypatch):
    monkeypatch.setenv("TUNEWRIGHT_THREADS", "3")
    assert free_cores() == 3
    monkeypatch.setenv("TUNEWRIGHT_THREADS", "many")
    with pytest.raises(UserError, match="TUNEWRIGHT_THREADS"):
        free_cores()


def test_at_least_one_and_at_most_all(monkeypatch):
    monkeypatch.delenv("TUNEWRIGHT_THREADS", raising=False)
    assert 1 <= free_cores(0.05) <= machine_facts_cores()


@pytest.mark.parametrize(
    ("looks", "free"),
    [
        ([[0, 0, 0, 0]] * 4, 4),
        ([[0, 100, 0, 99]] * 4, 2),  # two that others keep busy
        ([[100, 90, 100, 100]] * 4, 1),
        ([[100, 100, 0, 0], [100, 60, 0, 0], [0, 80, 0, 10], [100, 100, 100, 100]], 2),
        ([[0, 0, 0, 0], [100, 0, 0, 0], [0, 0, 0, 0], [0, 0, 0, 0]], 4),  # busy for a moment
        (
            [[100, 0, 0, 0], [100, 0, 0, 0], [0, 0, 0, 0], [100, 0, 0, 0]],
            3,
        ),  # in bursts, three quarters of the time
        ([[50, 50, 50, 50]] * 4, 2),
        ([[0, 0, 0, 0, 100, 100]] * 4, 4),  # cores that are not ours
    ],
)
def test_busy_cores_count_and_the_second_best_look_is_taken(monkeypatch, looks, free):
    monkeypatch.delenv("TUNEWRIGHT_THREADS", raising=False)
    monkeypatch.setattr(machine, "_allowed", lambda: [0, 1, 2, 3])
    monkeypatch.setattr(machine, "_quota", lambda root: None)
    seen = iter(looks)
    spent = []

    def look(interval, percpu):
        assert percpu
        spent.append(interval)
        return next(seen)

    monkeypatch.setattr(psutil, "cpu_percent", look)
    assert free_cores() == free
    assert sum(spent) <= 0.5
    assert list(seen) == []
    monkeypatch.setattr(machine, "_quota", lambda root: 1.5)
    monkeypatch.setattr(psutil, "cpu_percent", lambda interval, percpu: [0, 0, 0, 0])
    assert free_cores() == 1


def machine_facts_cores():
    import os

    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


def test_quotas_of_both_versions(tmp_path):
    assert _quota(tmp_path) is None
    (tmp_path / "cpu").mkdir()
    (tmp_path / "cpu/cpu.cfs_quota_us").write_text("150000\n")
    (tmp_path / "cpu/cpu.cfs_period_us").write_text("100000\n")
    assert _quota(tmp_path) == 1.5
    (tmp_path / "cpu.max").write_text("max 100000\n")
    assert _quota(tmp_path) is None


def test_facts(tmp_path, monkeypatch):
    monkeypatch.setenv("TUNEWRIGHT_THREADS", "2")
    facts = machine_facts(tmp_path)
    assert facts.cores_free == 2
    assert 0 < facts.memory_available <= facts.memory_total
    assert facts.disk_free > 0
    assert "llguidance" not in facts.extras  # it is always there


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="glibc's heap")
def test_freed_memory_goes_back():
    process = psutil.Process()
    kept = [bytes(1000) for _ in range(200_000)]
    full = process.memory_info().rss
    pins = kept[::5000]  # what is still in use lies between what is not
    del kept
    give_back_memory()
    assert process.memory_info().rss < full - 100_000_000
    assert len(pins) == 40


def test_objects_are_settled_for_a_while_and_new_cycles_found():
    class Cycle:
        pass

    one = Cycle()
    one.itself = one
    gone = weakref.ref(one)
    before = gc.get_freeze_count()
    with settled_objects():
        assert gc.get_freeze_count() > before
        new = Cycle()
        new.itself, found = new, weakref.ref(new)
        del one, new
        gc.collect()
        assert found() is None
        assert gone() is not None
    assert gc.get_freeze_count() == before
    gc.collect()
    assert gone() is None
