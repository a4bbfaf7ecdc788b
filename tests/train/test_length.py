"""Over-long rows: dropped, cut by whole turns or refused, and always counted."""

from tunewright.core.example import make_example
from tunewright.core.message import Message
from tunewright.train.length import fit
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
    spec = find_method(method)
    from tunewright.core.message import with_system

    return max(len(renderer.training(with_system(talk, SYSTEM)).ids) for talk in spec.conversations(example))


def fitted(policy, examples, renderer, longest, method="sft"):
    spec = TrainSpec(method=method, max_length=longest, over_long=policy)
    return fit(examples, find_method(method), renderer, SYSTEM, spec)


def test_fail_leaves_all_to_the_gate(tiny_renderer):
    rows = [talk(1), talk(1, words=50)]
    assert fitted("fail", rows, tiny_renderer, 100) == (rows, (), ())


def test_drop_leaves_out_what_is_longer_by_one_token(tiny_renderer):
    rows = [talk(1), talk(2), talk(3)]
    limit = length(rows[1], tiny_renderer)
    assert fitted("drop", rows, tiny_renderer, limit) == (rows[:2], (), (rows[2].id,))
    assert fitted("drop", rows, tiny_renderer, limit - 1).dropped == (rows[1].id, rows[2].id)


def test_cut_takes_whole_turns_from_the_beginning_and_no_more_than_needed(tiny_renderer):
    row = talk(4)
    found = fitted("cut", [row], tiny_renderer, length(talk(2), tiny_renderer))
    assert found.cut == (row.id,)
    assert found.examples[0].messages == row.messages[-4:]
    assert found.examples[0].id == row.id


def test_cut_keeps_the_rows_own_instructions(tiny_renderer):
    own = Message(role="system", content="Mine.")
    row = make_example((own, *talk(3).messages))
    found = fitted("cut", [row], tiny_renderer, length(row, tiny_renderer) - 1)
    assert found.examples[0].messages == (own, *row.messages[3:])


def test_what_is_long_with_its_last_turn_alone_stays_for_the_gate(tiny_renderer):
    row = make_example((*talk(1).messages, *talk(1, words=60).messages))
    assert fitted("cut", [row], tiny_renderer, 80) == ([row], (), ())


def test_the_longer_answer_of_a_pair_counts(tiny_renderer):
    row = talk(2, rejected="a brown fox jumps over the lazy dog " * 5)
    limit = length(talk(2), tiny_renderer)
    found = fitted("drop", [row], tiny_renderer, limit, "dpo")
    assert found.dropped == (row.id,)
    assert fitted("drop", [row], tiny_renderer, limit, "orpo").dropped == (row.id,)
    cut = fitted("cut", [row], tiny_renderer, length(row, tiny_renderer, "dpo") - 1, "dpo")
    assert cut.examples[0].messages == row.messages[2:]
    assert cut.examples[0].worse[-1].content == row.rejected
