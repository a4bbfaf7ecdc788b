"""What keeps written rows from taking over, and whether they are varied."""

import math
import random

import pytest

from tunewright.core.example import Example, Origin, ask, make_example
from tunewright.data.ops.drop_duplicates import DropDuplicates
from tunewright.data.ops.generate import Generate
from tunewright.data.recipe import graph
from tunewright.data.spec import SourceSpec
from tunewright.data.synthetic.collapse import (
    depths,
    recursion,
    source_depths,
    too_deep,
    too_many,
)
from tunewright.data.synthetic.diversity import (
    Portrait,
    Sampled,
    distinct,
    measures,
    near_rate,
    self_bleu,
    spreads,
)


def row(number: int, depth: int = 0, shown: list[str] | None = None, text: str = "") -> Example:
    origin = Origin(source="s", file="s.csv", row=number, teacher="big" if depth else "", depth=depth)
    fields = {"written_from": shown} if shown else {}
    return make_example(ask(text or f"question {number}", "a"), origin=origin, fields=fields)


OWN = [row(n) for n in range(10)]
WRITTEN = [row(n, depth=1) for n in range(10)]


def test_too_large_a_share_of_train_is_refused() -> None:
    assert too_many(10, 20, 0.5) is None
    assert str(too_many(10, 15, 0.5)) == (
        "data.synthetic_share: 10 of 15 rows to train on (67%) were written by models or rules, more than"
        " data.synthetic_share (50%). Write 5 at most, add rows of people's, or raise data.synthetic_share."
    )
    assert too_many(10, 10, 1) is None
    assert "Write 1 at most" in str(too_many(10, 20, 0.1))


def test_rows_of_rows_of_models_are_too_deep() -> None:
    rows = [*OWN, *WRITTEN, row(4, depth=2)]
    assert too_deep(rows, 1) == "s.csv:4 was written by big at depth 2, and data.max_depth is 1."
    assert too_deep(rows, 2) is None


def test_a_recipe_that_writes_from_what_was_written_is_told_before_it_runs() -> None:
    seed = {"_said": {"type": "seed"}}
    ops = [
        Generate.model_validate({"id": "first", "preset": "rephrase", "needs": ["own"]}),
        Generate.model_validate(
            {
                "id": "fresh",
                "needs": ["first"],
                "rows": 9,
                "columns": {"text": {"type": "text", "prompt": "a"}},
            }
        ),
        Generate.model_validate({"id": "again", "needs": ["fresh"], "preset": "evolve"}),
        Generate.model_validate(
            {"id": "rules", "needs": ["other"], "columns": seed, "input": "_said", "expected": "{{ _said }}"}
        ),
        DropDuplicates(needs=("again", "rules")),
    ]
    sources = {"own": SourceSpec(path="a.csv"), "other": SourceSpec(path="b.csv", written_by="gpt")}
    nodes = graph(ops, sources)
    assert source_depths(sources) == {"own": 0, "other": 1}
    found = depths(nodes, source_depths(sources))
    assert [found[node.id] for node in nodes] == [1, 1, 2, 1, 2]
    (problem,) = recursion(nodes, source_depths(sources), most=1)
    assert str(problem) == (
        "recipe.2: again writes from rows that a model wrote (depth 2, and data.max_depth is 1)."
        " Let it take rows that people wrote (needs, seeds), or raise data.max_depth."
    )
    assert list(recursion(nodes, source_depths(sources), most=2)) == []


def test_distinct_counts_runs_of_words() -> None:
    assert distinct(["a b a b"], 1) == 2 / 4
    assert distinct(["a b a b"], 2) == 2 / 3
    assert distinct(["A b", "a b"], 2) == 1 / 2
    assert distinct(["a"], 3) == 1.0


def test_self_bleu_is_that_of_the_papers() -> None:
    """By hand: 'a b c d e' beside 'a b c d f' has 4/5, 3/4, 2/3 and 1/2 of its runs of 1 to 4 in the other."""
    expected = math.exp(sum(map(math.log, (4 / 5, 3 / 4, 2 / 3, 1 / 2))) / 4)
    assert self_bleu(["a b c d e", "a b c d f"]) == pytest.approx(expected)
    assert self_bleu(["a b c d e"] * 5) == pytest.approx(1)
    assert self_bleu(["a b c d", "e f g h"]) < 0.05
    assert self_bleu(["once"]) == 0
    assert self_bleu(["a b c d e f g h", "a b c d"]) < self_bleu(["a b c d e f g h", "a b c d e f g h"])


def test_near_rate_tells_copies_of_seeds() -> None:
    chance = random.Random(0)
    words = [f"w{n}" for n in range(200)]
    old = [" ".join(chance.choices(words, k=20)) for _ in range(50)]
    new = [" ".join(chance.choices(words, k=20)) for _ in range(30)] + [f"{text} please" for text in old[:10]]
    assert near_rate(new, old) == 10 / 40


def test_spread_is_the_distance_from_the_middle() -> None:
    same, varied = ["The lamp is broken."] * 20, [f"{word} {word}s" for word in "abcdefghijklmnopqrst"]
    narrow, wide, nothing = spreads(same, varied, [])
    assert narrow == pytest.approx(0, abs=1e-5)
    assert wide is not None
    assert wide > 0.3
    assert nothing is None


def sampled(texts: list[str]) -> Sampled:
    found = Sampled(0)
    for number, text in enumerate(texts):
        found.take(row(number, text=text))
    return found


def test_new_rows_are_measured_beside_as_many_seeds() -> None:
    chance = random.Random(0)
    words = [f"w{n}" for n in range(300)]
    seeds = [" ".join(chance.choices(words, k=chance.randint(5, 30))) for _ in range(1000)]
    poor = Portrait.of(sampled([f"where is my parcel {n % 3}" for n in range(60)]), sampled(seeds))
    assert poor.new is not None
    assert poor.old is not None
    assert (poor.new.texts, poor.old.texts) == (60, 60)
    assert poor.new.distinct[1] < 0.1 < 0.9 < poor.old.distinct[1]
    assert poor.new.words == (6, 6, 6)
    told = list(poor.notes())
    assert told[0].startswith("Variety of the new rows: distinct words 0.0")
    assert told[-1].startswith("The new rows repeat one another")
    assert list(Portrait.of(sampled(seeds[:5]), sampled(seeds)).notes()) == []
    assert measures(["a b", "a"]).self_bleu < 1


def test_a_sample_is_fair_and_the_same_again() -> None:
    texts = [str(n) for n in range(5000)]
    first = sampled(texts)
    assert first.texts == sampled(texts).texts
    assert len(first.texts) == 400
    assert 2000 < sum(int(text.split("\n")[0]) for text in first.texts) / 400 < 3000
