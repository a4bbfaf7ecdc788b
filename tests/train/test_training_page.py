"""docs/training.md says of defaults and recipes what the code does: its numbers are read and held against it."""

import re
from itertools import pairwise
from pathlib import Path

import pytest

from tunewright.project.starters import begin, names
from tunewright.train.defaults import Facts, settle
from tunewright.train.spec import TrainSpec

PAGE = (Path(__file__).parents[2] / "docs" / "training.md").read_text("utf-8")
FACTS = Facts(examples=2000, tokens=300_000, steps=(155, 76, 37, 19), trained=40_000, width=1024)
WORDS = {"half": 1 / 2, "a quarter": 1 / 4, "a tenth": 1 / 10}


def table(head):
    """The rows of the table that begins with `head`, as cells."""
    lines = PAGE[PAGE.index(head) :].splitlines()
    end = next(number for number, line in enumerate(lines) if not line.startswith("|"))
    return [[cell.strip().strip("`") for cell in line.strip("|").split("|")] for line in lines[2:end]]


DEFAULTS = dict(table("| field | chosen |"))


def numbers(pattern, text):
    """The numbers that the pattern finds, read as people write them."""
    found = re.search(pattern, text)
    assert found, text
    return [float(word.replace(",", "").replace(" million", "e6")) for word in found.groups()]


def chosen(facts=FACTS, **given):
    return settle(TrainSpec(**given), facts)[0]


def holds_at(values, last, measured):
    """Each value up to its last place, the next one from there on."""
    for (value, after), place in zip(pairwise(values), last, strict=True):
        assert (measured(int(place)), measured(int(place) + 1)) == (value, after)


def test_ranks():
    pattern = r"(\d+) up to ([\d,]+) trained tokens, (\d+) up to (\d+ million), then (\d+)"
    few, most, some, more, many = numbers(pattern, DEFAULTS["adapter.rank"])
    holds_at([few, some, many], [most, more], lambda n: chosen(FACTS._replace(trained=n)).adapter.rank)


def test_epochs():
    pattern = r"(\d) below ([\d,]+) examples, (\d) up to ([\d,]+), (\d) up to ([\d,]+), then (\d)"
    four, few, three, some, two, many, one = numbers(pattern, DEFAULTS["epochs"])
    last = [few - 1, some, many]
    holds_at([four, three, two, one], last, lambda n: chosen(FACTS._replace(examples=n)).epochs)
    assert "; dpo and kto one less, but never none" in DEFAULTS["epochs"]
    for method in ("dpo", "kto"):
        found = [chosen(FACTS._replace(examples=n + 1), method=method).epochs for n in (0, *map(int, last))]
        assert found == [3, 2, 1, 1]


def test_rates():
    pattern = r"size: (\S+) below (\d+) .*?, (\S+) below ([\d,]+) .*?, (\S+) up to ([\d,]+), (\S+) above"
    small, few, middle, some, usual, most, large = numbers(pattern, DEFAULTS["learning_rate"])
    last = [few - 1, some - 1, most]
    holds_at([small, middle, usual, large], last, lambda n: chosen(FACTS._replace(width=n)).learning_rate)
    shares = re.findall(r"(\w+)(?: and (\w+))? (half|a quarter|a tenth)", DEFAULTS["learning_rate"])
    told = {method: WORDS[share] for *methods, share in shares for method in methods if method}
    assert told == {
        method: pytest.approx(chosen(method=method).learning_rate / usual)
        for method in ("cpt", "orpo", "dpo", "kto")
    }
    assert "divided by √`b_rate" in DEFAULTS["learning_rate"]
    assert chosen(adapter={"b_rate": 16}).learning_rate == pytest.approx(usual / 4)


def test_batches():
    least, most, steps = numbers(r"([\d,]+) to ([\d,]+), .* (\d+) steps", DEFAULTS["batch_tokens"])
    enough = [int(steps) + 8, int(steps) + 4, int(steps) + 2]
    given = [(*enough, int(steps)), (*enough, int(steps) - 1), (int(steps) - 1, 9, 9, 9)]
    found = [chosen(FACTS._replace(steps=counts)).batch_tokens for counts in given]
    assert found == [most, most / 2, least]


def test_recipes():
    """Those that there are, each with what the project file of a real base says; the others are set by hand."""
    told = {
        name: tuple(map(float, cells))
        for named, *cells in table("| recipe | rank | epochs | rate |")
        if "by hand" not in named
        for name in named.split(", ")
    }
    assert sorted(told) == sorted(names())
    assert told == {name: begun(name) for name in names()}


def begun(recipe):
    train = begin(recipe, "mine", base="some/base")["train"]
    return train["adapter"]["rank"], train["epochs"], train["learning_rate"]
