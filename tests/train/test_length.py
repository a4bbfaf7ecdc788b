"""Over-long rows: dropped, cut by whole turns or refused, and always counted."""

import pytest

from tiny import CHATML, make_tokenizer
from tunewright.core.errors import ModelError
from tunewright.core.example import ask, make_example
from tunewright.core.message import Message, with_system
from tunewright.models.template import Renderer
from tunewright.train.length import emptied, fit
from tunewright.train.methods import find_method
from tunewright.train.spec import TrainSpec

SYSTEM = "Reply with one word."


def talk(turns: int, words: int = 3, **more):
    messages = []
    for turn in range(turns):
        messages += [
            Message(role="user", content=f"What is {turn}? " * words),
            Message(role="assistant", content="red"),
        ]
    return make_example(tuple(messages), **more)


def length(example, renderer, method="sft"):
    talks = find_method(method).conversations(example)
    return max(len(renderer.training(with_system(talk, SYSTEM)).ids) for talk in talks)


def fitted(policy, examples, renderer, longest, method="sft"):
    spec = TrainSpec(method=method, max_length=longest, over_long=policy)
    return fit(examples, find_method(method), renderer, SYSTEM, spec)


def test_fail_leaves_all_to_the_gate(tiny_renderer):
    rows = [talk(1), talk(1, words=50)]
    found = fitted("fail", rows, tiny_renderer, 100)
    assert (list(found.trained(rows)), found.cut, found.dropped) == (rows, (), ())


def test_drop_leaves_out_what_is_longer_by_one_token(tiny_renderer):
    rows = [talk(1), talk(2), talk(3)]
    limit = length(rows[1], tiny_renderer)
    found = fitted("drop", rows, tiny_renderer, limit)
    assert (list(found.trained(rows)), found.cut, found.dropped) == (rows[:2], (), (rows[2].id,))
    assert fitted("drop", rows, tiny_renderer, limit - 1).dropped == (rows[1].id, rows[2].id)


def test_cut_takes_whole_turns_from_the_beginning_and_no_more_than_needed(tiny_renderer):
    row = talk(4)
    found = fitted("cut", [row], tiny_renderer, length(talk(2), tiny_renderer))
    assert found.cut == (row.id,)
    assert found.shorter[0].messages == row.messages[-4:]
    assert found.shorter[0].id == row.id


def test_cut_keeps_the_rows_own_instructions(tiny_renderer):
    own = Message(role="system", content="Mine.")
    row = make_example((own, *talk(3).messages))
    found = fitted("cut", [row], tiny_renderer, length(row, tiny_renderer) - 1)
    assert found.shorter[0].messages == (own, *row.messages[3:])


def test_what_is_long_with_its_last_turn_alone_stays_for_the_gate(tiny_renderer):
    row = make_example((*talk(1).messages, *talk(1, words=60).messages))
    found = fitted("cut", [row], tiny_renderer, 80)
    assert (list(found.trained([row])), found.cut, found.dropped) == ([row], (), ())


def test_cutting_gives_up_where_it_would_take_the_only_trained_answers(tiny_renderer):
    first, last = talk(1).messages, talk(1, words=4).messages
    untrained = (last[0], last[1].model_copy(update={"weight": 0}))
    row = make_example((*first, *untrained))
    found = fitted("cut", [row], tiny_renderer, length(row, tiny_renderer) - 1)
    assert (list(found.trained([row])), found.cut) == ([row], ())
    both = make_example((*first, *first, *untrained))
    found = fitted("cut", [both], tiny_renderer, length(both, tiny_renderer) - 1)
    assert found.shorter[0].messages == (*first, *untrained)


@pytest.mark.parametrize(
    ("method", "policy"), [("sft", "fail"), ("sft", "cut"), ("dpo", "drop"), ("dpo", "cut")]
)
def test_the_trees_are_the_examples_rendered_once_with_one_system_prompt(tiny_renderer, method, policy):
    own = make_example((Message(role="system", content="Mine."), *talk(1).messages), rejected="blue")
    rows = [talk(1, rejected="blue"), talk(3, rejected="blue"), own]
    found = fitted(policy, rows, tiny_renderer, length(talk(2), tiny_renderer) + 3, method)
    assert [tree.id for tree in found.rendered()] == [example.id for example in found.trained(rows)]
    for example, tree in zip(found.trained(rows), found.rendered(), strict=True):
        talks = [with_system(talk, SYSTEM) for talk in find_method(method).conversations(example)]
        assert [(list(row.ids), list(row.mask)) for row in tree.rows] == [
            tiny_renderer.training(talk) for talk in talks
        ]


def test_what_the_template_refuses_has_no_tree(tiny_renderer):
    refuses = Renderer(
        make_tokenizer("{%- if 'bad' in messages | string -%}{{ 1 / 0 }}{%- endif -%}" + CHATML)
    )
    rows = [talk(1), make_example(ask("bad", "red"))]
    found = fitted("drop", rows, refuses, 100)
    assert list(found.trained(rows)) == rows
    assert [len(trees) for trees in found.by_example()] == [1, 0]
    with pytest.raises(ModelError, match="refuses a conversation of"):
        found.rendered()


@pytest.mark.parametrize("method", ["sft", "dpo", "kto", "orpo"])
def test_many_rendered_together_are_each_as_alone(method):
    """More than are taken at a time, of several turns, with one of them that the template refuses in between."""
    refuses = Renderer(
        make_tokenizer("{%- if 'bad' in messages | string -%}{{ 1 / 0 }}{%- endif -%}" + CHATML)
    )
    told = [talk(turns % 5 + 1, words=turns % 7 + 1, rejected="green") for turns in range(70)]
    refused = make_example(ask("bad", "red"), rejected="green")
    together = fitted("fail", [*told[:40], refused, *told[40:]], refuses, 10_000, method)
    alone = [fitted("fail", [one], refuses, 10_000, method).rendered()[0] for one in told]
    assert list(together.pieces) == [1] * 40 + [0] + [1] * 30
    assert list(together.shelf) == alone
    assert "refuses a conversation of" in str(together.refusal)


def test_a_part_that_loses_all_its_rows(tiny_renderer):
    rows = [talk(3), talk(4)]
    (problem,) = emptied("dev", fitted("drop", rows, tiny_renderer, 20), 20)
    assert str(problem) == (
        "train.over_long: all 2 dev rows are longer than train.max_length (20 tokens), and dropping them leaves none."
        " Raise train.max_length, or set train.over_long to cut."
    )
    assert emptied("dev", fitted("drop", [], tiny_renderer, 20), 20) == []
    assert emptied("dev", fitted("drop", [talk(1), *rows], tiny_renderer, 60), 60) == []


def test_the_longer_answer_of_a_pair_counts(tiny_renderer):
    row = talk(2, rejected="a brown fox jumps over the lazy dog " * 5)
    limit = length(talk(2), tiny_renderer)
    found = fitted("drop", [row], tiny_renderer, limit, "dpo")
    assert found.dropped == (row.id,)
    assert fitted("drop", [row], tiny_renderer, limit, "orpo").dropped == (row.id,)
    cut = fitted("cut", [row], tiny_renderer, length(row, tiny_renderer, "dpo") - 1, "dpo")
    assert cut.shorter[0].messages == row.messages[2:]
    assert cut.shorter[0].worse[-1].content == row.rejected
