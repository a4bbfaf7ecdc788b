"""How unlikely answers are to the base: against the base's own forward pass, and what the operation makes of it."""

import json
import math
from pathlib import Path

import pytest
import torch

import tunewright
from tiny import save_model
from tunewright.core.example import ask, make_document, make_example
from tunewright.core.message import Message
from tunewright.data.ops.op import Dropped, Kept, Rows
from tunewright.data.ops.perplexity import Perplexity as PerplexityOp
from tunewright.data.ops.perplexity import apply
from tunewright.models.base import resolve_base
from tunewright.models.load import load_model, load_tokenizer
from tunewright.models.template import Renderer
from tunewright.project.perplexity import Perplexity

ROWS = [
    make_example(ask("What is the colour of the door?", "The door is red.")),
    make_example(ask("How much is it?", "It is eleven euros.", system="Reply with one word.")),
    make_document("The quick brown fox jumps over the lazy dog."),
    make_example(
        (Message(role="user", content="a"), Message(role="assistant", content="b"), *ask("yes or no?", "no"))
    ),
]


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory):
    return resolve_base(str(save_model(tmp_path_factory.mktemp("base"))), Path())


def alone(base, ids, begin):
    """exp of the mean negative log-likelihood of the tokens from `begin` on, by the model itself."""
    with torch.inference_mode():
        logits = load_model(base)(input_ids=torch.tensor([ids])).logits[0].float().log_softmax(-1)
    picked = [logits[at - 1, ids[at]].item() for at in range(begin, len(ids))]
    return math.exp(-sum(picked) / len(picked))


def test_it_is_what_the_base_itself_says(base):
    renderer = Renderer(load_tokenizer(base))
    wanted = []
    for row in ROWS:
        if row.is_document:
            ids, begin = renderer.document(row.expected).ids, 1
        else:
            rendered = renderer.training(row.messages)
            end = len(rendered.mask) - rendered.mask[::-1].index(1)
            ids, begin = rendered.ids[:end], len(renderer.prompt(row.prompt))
        wanted.append(alone(base, ids, begin))
    assert Perplexity(base, "").of(ROWS) == pytest.approx(wanted, rel=1e-3)


def test_the_prompt_of_the_task_stands_before_rows_without_one(base):
    told = [make_example(ask("How much is it?", "It is.", system="Answer in JSON."))]
    bare = [make_example(ask("How much is it?", "It is."))]
    assert Perplexity(base, "Answer in JSON.").of(bare) == pytest.approx(
        Perplexity(base, "").of(told), rel=1e-4
    )


def test_a_row_longer_than_the_base_takes_is_read_around_its_answer(base):
    long = [make_example(ask("red fox " * 900, "The door is red.")), make_example(ask("a", "red fox " * 900))]
    assert all(map(math.isfinite, Perplexity(base, "").of(long)))


class Fixed:
    """Means that know each answer's perplexity: its length."""

    def perplexities(self, rows):
        return [float(len(row.expected)) for row in rows]


def kept(spec, *lengths):
    rows = Rows({"rows": [make_example(ask("?", "x" * length)) for length in lengths]})
    said = list(apply(spec, rows, Fixed()))
    assert all(isinstance(one, Kept | Dropped) for one in said)
    return [len(one.example.expected) for one in said if isinstance(one, Kept)], said


def test_bounds_and_shares():
    lengths = (5, 90, 20, 70, 10, 60)
    assert kept(PerplexityOp(least=10, most=70), *lengths)[0] == [20, 70, 10, 60]
    assert kept(PerplexityOp(keep_share=0.34), *lengths)[0] == [20, 60]
    assert kept(PerplexityOp(keep_share=0.5, tails="high"), *lengths)[0] == [5, 20, 10]
    assert kept(PerplexityOp(keep_share=0.5, tails="low"), *lengths)[0] == [90, 70, 60]
    _, said = kept(PerplexityOp(most=80, keep_share=0.4, tails="high"), *lengths)
    assert [one.reason for one in said if isinstance(one, Dropped)] == [
        "perplexity 90",
        "not in the likeliest 40%: perplexity 20",
        "not in the likeliest 40%: perplexity 70",
        "not in the likeliest 40%: perplexity 60",
    ]
    assert said[0].example.fields == {"perplexity": 5.0}


PROJECT = """\
name: unlikely
task: {system: Say the kind.}
sources: {rows: {path: rows.jsonl, columns: {input: q, expected: a}}}
recipe: [{op: perplexity, keep_share: 0.9, tails: high}]
"""


def test_a_project_drops_what_its_base_finds_least_likely(tmp_path):
    good = [
        {"q": f"Say the word again: {word}", "a": word}
        for word in ("lamp", "kettle", "radio", "clock", "chair", "phone", "bag")
    ]
    odd = {"q": "Say the word again: table", "a": "Zx9 qqq ### vvkk 0x1f"}
    (tmp_path / "rows.jsonl").write_text("".join(json.dumps(row) + "\n" for row in [*good, odd]))
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    found = tunewright.open(tmp_path).preview()
    ((place, reason),) = found.dropped
    assert place == "rows.jsonl:8"
    assert reason.startswith("not in the likeliest 90%: perplexity ")
