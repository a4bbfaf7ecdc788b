from tunewright.core.example import ask, make_example
from tunewright.core.message import Message
from tunewright.data.recipe import OpResult, apply_recipe
from tunewright.data.spec import DropContradictions, DropDuplicates, MaxChars, Sample


def row(question, answer):
    return make_example((Message(role="user", content=question), Message(role="assistant", content=answer)))


A, A_AGAIN, A_ELSE, B = row("Hi  there", "x"), row("hi THERE ", "X"), row("hi there", "y"), row("bye", "z")


def test_drop_duplicates_keeps_the_first():
    result = apply_recipe([DropDuplicates()], [A, B, A_AGAIN, A_ELSE, B])
    assert result.examples == [A, B, A_ELSE]
    dropped = ((A_AGAIN.place, f"the same as {A.place}"), (B.place, f"the same as {B.place}"))
    assert result.steps == [OpResult(op="drop_duplicates", rows_in=5, rows_out=3, dropped=dropped)]


def test_drop_contradictions_drops_all_sides():
    result = apply_recipe([DropContradictions()], [A, B, A_AGAIN, A_ELSE])
    assert result.examples == [B]
    why = "its prompt has 2 different answers"
    assert result.steps[0].dropped == tuple((example.place, why) for example in (A, A_AGAIN, A_ELSE))


def test_answers_to_other_system_prompts_contradict_nothing():
    rows = [
        make_example(ask("q", answer, system=system))
        for system, answer in (("In French.", "oui"), ("In Czech.", "ano"), (None, "yes"))
    ]
    assert apply_recipe([DropDuplicates(), DropContradictions()], rows).examples == rows


def test_max_chars():
    assert apply_recipe([MaxChars(chars=4)], [A, B]).steps[0].dropped == ((A.place, "10 characters"),)


def test_sample_is_seeded_and_does_not_hang_on_the_order():
    rows = [row(f"q{at}", "a") for at in range(50)]
    drawn = apply_recipe([Sample(rows=10)], rows).examples
    assert len(drawn) == 10
    assert [example for example in rows if example in drawn] == drawn
    assert apply_recipe([Sample(rows=10)], rows[::-1]).examples == drawn[::-1]
    assert apply_recipe([Sample(rows=10, seed=1)], rows).examples != drawn
    assert apply_recipe([Sample(rows=99)], [A, A, B]).examples == [A, A, B]


def test_operations_follow_one_another():
    result = apply_recipe([DropDuplicates(), MaxChars(chars=4), Sample(rows=1)], [A, B, B])
    assert [(step.op, step.rows_in, step.rows_out) for step in result.steps] == [
        ("drop_duplicates", 3, 2),
        ("max_chars", 2, 1),
        ("sample", 1, 1),
    ]
