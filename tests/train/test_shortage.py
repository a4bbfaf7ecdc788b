"""Memory that runs out in the middle of a run: one sentence that says what would fit, and a run that goes on from there."""

import subprocess
import sys

import pytest
from test_run import ROWS, SPEC, contents, run

from tunewright.core.generation import Decoding
from tunewright.train import loop, preflight

CHILD = """
import resource, sys
from pathlib import Path
import torch
sys.path[:0] = sys.argv[3:]
from test_run import SPEC, run
from test_shortage import LONG
from tunewright.core.errors import GateError
from tunewright.models.base import resolve_base

eaten = []

def held(kind, **data):
    # after three steps no memory comes any more, and what the process has is eaten but for what Python itself wants
    if kind != "train.step" or data["step"] != 3:
        return
    size = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    resource.setrlimit(resource.RLIMIT_AS, (size + (1 << 20), resource.RLIM_INFINITY))
    try:
        while True:
            eaten.append(torch.empty(1 << 18, dtype=torch.uint8))
    except RuntimeError:
        pass

try:
    run(Path(sys.argv[2]), resolve_base(sys.argv[1], Path(".")), SPEC, LONG, emit=held)
except GateError as refused:
    print(refused)
"""
LONG = [(*row[:-1], row[-1].model_copy(update={"content": "It is so. " * 300})) for row in ROWS[:20]]
"""Rows whose steps take more than a quarter of a megabyte at once."""


@pytest.mark.skipif(sys.platform != "linux", reason="the limit is Linux's")
def test_a_step_without_memory_says_what_would_fit_and_the_run_goes_on(tiny_base, tmp_path):
    run(tmp_path / "whole", tiny_base, SPEC, LONG)
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tiny_base.path), str(tmp_path / "cut"), *sys.path],
        capture_output=True, text=True,
    )  # fmt: skip
    assert "Training ran out of memory, of which" in done.stdout, done.stdout + done.stderr
    assert "Set train.gradient_checkpointing to true, or set train.max_length to about" in done.stdout
    run(tmp_path / "cut", tiny_base, SPEC, LONG)
    assert contents(tmp_path / "cut/out") == contents(tmp_path / "whole/out")


def one(generator):
    """A judge that samples."""
    replies = generator.generate([row[:-1] for row in ROWS[:4]], Decoding(max_new_tokens=20, temperature=0.8))
    return len(replies[0].text) / 1000


@pytest.mark.parametrize("judge", [None, one])
def test_a_look_ahead_changes_no_byte(tiny_base, tmp_path, monkeypatch, judge):
    run(tmp_path / "looked", tiny_base, judge=judge)
    monkeypatch.setattr(loop.Loop, "look_ahead", lambda *_, **__: None)
    run(tmp_path / "blind", tiny_base, judge=judge)
    assert contents(tmp_path / "looked/out") == contents(tmp_path / "blind/out")


def test_a_short_run_has_a_brief_look_unless_memory_is_scarce(tiny_base, tmp_path, monkeypatch):
    """Beside a small model and much memory more steps are worth nothing."""
    brief, plain = [], preflight.look_ahead

    def heard(*asked):
        brief.append(asked[-1])
        return plain(*asked)

    monkeypatch.setattr(preflight, "look_ahead", heard)

    def kinds(folder):
        told = []
        run(folder, tiny_base, emit=lambda kind, **_: told.append(kind))
        return told.count("train.preflight")

    assert kinds(tmp_path / "plenty") == 1
    monkeypatch.setattr(loop, "_PLENTY", 1 << 30)  # no machine has so many times a model's size
    assert kinds(tmp_path / "scarce") == 1
    assert brief == [True, False]
    assert contents(tmp_path / "scarce/out") == contents(tmp_path / "plenty/out")
