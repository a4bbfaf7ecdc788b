"""Suites with expected calls are written by one renderer, however many they are."""

from types import SimpleNamespace
from typing import Any

import pytest

from calls import ASKED, SAYS, call
from tunewright.core.example import make_example
from tunewright.evals.suite import Suite
from tunewright.models import load
from tunewright.project.stages.measuring import _as_answered


def suite(name: str, *answers: Any) -> Suite:
    examples = (make_example((ASKED, answer)) for answer in answers)
    return Suite(name, tuple(examples), lambda example: (), ())


def test_the_tokenizer_is_loaded_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    loaded = []
    real = load.load_tokenizer
    monkeypatch.setattr(load, "load_tokenizer", lambda base: loaded.append(base) or real(base))
    task = SimpleNamespace(system="Be brief.")
    ctx: Any = SimpleNamespace(file=SimpleNamespace(base="embedded", task=task), root=tmp_path)
    plain = [suite("plain", SAYS)]
    assert (_as_answered(ctx, plain), loaded) == (plain, [])
    every = [*plain, suite("one", call("x"), SAYS), suite("two", call("y"))]
    expected = [[example.expected for example in made.examples] for made in _as_answered(ctx, every)]
    assert expected == [
        ["In Prague."],
        ['<tool_call>{"name": "find", "arguments": {"what": "x"}}</tool_call>', "In Prague."],
        ['<tool_call>{"name": "find", "arguments": {"what": "y"}}</tool_call>'],
    ]
    assert len(loaded) == 1
