"""Rules that tell flawed rows from others, and the operation that goes by them."""

from itertools import pairwise

import pytest
from pydantic import ValidationError
from worked import worked

from tunewright.core.example import Origin, ask, make_document, make_example
from tunewright.core.message import Function, Message, ToolCall
from tunewright.data.ops.quality import Quality, RuleName
from tunewright.data.quality import is_cut, judged
from tunewright.data.quality_rules import Rules
from tunewright.data.quality_text import Prose

PROSE = (
    "The parcel left our warehouse on Monday and should reach you by Thursday of this week. You can follow it with the "
    "number that we sent to your address. If it is not there by Friday, write to us again and we will look into it with "
    "the carrier, or send you a new one without any cost to you."
)


def flaws(answer, question="Where is my parcel?", **rules):
    return judged(make_example(ask(question, answer)), Rules(**rules)).flaws


def test_a_plain_answer_a_label_json_and_a_call_have_none():
    for answer in (
        PROSE,
        "delivery",
        '{"kind": "delivery"}',
        "42",
        "```python\nprint(1)\n```",
        "包裹在周四到达。",
        "👍",
        "- a\n- b",
    ):
        assert flaws(answer) == ()
    call = Message(
        role="assistant", content="", tool_calls=(ToolCall(function=Function(name="f", arguments="{}")),)
    )
    row = make_example((Message(role="user", content="Where?"), call))
    assert judged(row, Rules()).flaws == ()


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ("...", ("empty",)),
        ("TBD", ("placeholder",)),
        ("Dear {{ name }}, your parcel is here.", ("placeholder",)),
        ("Where  is my PARCEL?", ("echo",)),
        (PROSE[:-40], ("cut",)),
        ('{"kind": "delivery", "tags": ["a"', ("cut",)),
        ("Here it is:\n```python\nprint(1)", ("cut",)),
        ("I'm sorry, but I can't help with that.", ("refusal",)),
        ("word " * 60, ("stop_words", "repeated_words")),
        (PROSE + "\n# ## ### #### ##### ######", ("symbols",)),
        ("\n".join(["The parcel is on its way to you and it will be there."] * 6), ("repeated_words", "repeated_lines")),
        (PROSE + " This site uses cookies. Read our privacy policy.", ("boilerplate",)),
        (f"An antidisestablishmentarianism of incomprehensibilities: {PROSE}", ()),
    ],
)  # fmt: skip
def test_each_rule_finds_its_flaw(answer, found):
    assert flaws(answer) == found


def test_words_that_are_none():
    assert "word_length" in flaws(
        " ".join("abcdefghijklmnopqrstuvwxyz"[: 20 + at % 5] + str(at) for at in range(60))
    )
    assert "ellipsis" in flaws(
        "\n".join(f"{PROSE.split('.')[0]} and so on number {at} ..." for at in range(5))
    )


def test_a_rule_turned_off_is_not_asked():
    row = make_example(ask("Where?", "..."))
    assert (judged(row, Rules()).flaws, judged(row, Rules()).asked) == (("empty",), 5)
    assert (judged(row, Rules(empty=False)).flaws, judged(row, Rules(empty=False)).asked) == ((), 4)
    off = Rules(empty=False, placeholder=False, echo=None, cut=False, refusal=False)
    assert judged(row, off).score == 1


def test_layout_is_asked_of_documents_alone():
    page = "\n".join(f"- {one} {other}" for one, other in pairwise(dict.fromkeys(PROSE.split())))
    assert judged(make_document(page), Rules()).flaws == ("bullets", "unended_lines", "short_lines")
    assert judged(make_example(ask("List them.", page)), Rules()).flaws == ()


def test_every_rule_is_a_name_that_may_drop():
    assert set(RuleName.__args__) == set(Rules.model_fields) - {"min_words"}


@pytest.mark.parametrize(
    ("answer", "cut"),
    [
        ("", False),
        (PROSE, False),
        (PROSE + " We are sorry that the", True),
        ("Success is not final, failure is not fatal: it is the courage to continue that counts.\" - Churchill", False),
        ("Solid State Hard Drive for Gaming with Maximum Speed and Thermal Control and a heat sink of its own", False),
        ('{"a": "it says \\"{\\" here"}', False),
        ('[1, 2, {"a": 3}', True),
        ("[1] is the first note, and there is nothing else to say of it", False),
    ],
)  # fmt: skip
def test_where_an_answer_breaks_off(answer, cut):
    assert is_cut(answer) is cut


def test_runs_that_repeat_count_once():
    prose = Prose("a b c d e f g h i j x a b c d e f g h i j")
    assert prose._twice(5) == 10
    assert prose._twice(10) == 10
    assert not prose.repeats_words(10)


def rows(*answers):
    return [
        make_example(ask(f"Question {at}?", said), origin=Origin(source="rows", file="rows.csv", row=at))
        for at, said in enumerate(answers, 1)
    ]


def test_the_operation_writes_fields_and_counts():
    found = worked([Quality()], rows("delivery", "..."))
    assert [row.fields for row in found.kept] == [
        {"quality": 1.0, "flaws": []},
        {"quality": 0.8, "flaws": ["empty"]},
    ]
    assert found.steps[0].tally == {"empty": 1}


def test_the_worst_go_with_their_reasons():
    given = rows("delivery", "...", "TBD", "fine", "I'm sorry, but I can't help with that.")
    found = worked([Quality(drop=("empty",), drop_below=0.9)], given)
    assert found.dropped == [
        ("rows.csv:2", "empty"),
        ("rows.csv:3", "quality 0.80 (placeholder)"),
        ("rows.csv:5", "quality 0.80 (refusal)"),
    ]
    found = worked([Quality(keep_share=0.4)], given)
    assert [row.expected for row in found.kept] == ["delivery", "fine"]
    assert found.dropped[0] == ("rows.csv:2", "not in the best 40%: quality 0.80")


def test_no_rows():
    assert worked([Quality(keep_share=0.5)], []).kept == []


def test_rules_that_are_off_drop_nothing():
    with pytest.raises(ValidationError, match="drop names cut, which rules turns off"):
        Quality(rules=Rules(cut=False), drop=["empty", "cut"])
