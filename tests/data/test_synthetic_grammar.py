"""Sentences drawn from a grammar."""

import random
import re

import pytest
from writing_desk import sampled

from ends import ends
from tunewright.data.synthetic.grammar import Grammar, GrammarError

HOME = """
// orders to a house
start: "SET" target "TO" value ("AFTER" NUMBER "s")? | 0.5: "STOP"
target: "heating" | 2: "lamp"
value: "on" | "off" | NUMBER
NUMBER: /[1-9]\\d{0,2}/
"""
ORDER = re.compile(r"STOP|SET (heating|lamp) TO (on|off|[1-9]\d{0,2})( AFTER [1-9]\d{0,2} s)?")


def sentences(grammar: str, count: int = 300) -> list[str]:
    made, chance = Grammar(grammar), random.Random(0)
    return [made.sentence(chance) for _ in range(count)]


def test_sentences_are_of_the_language_and_varied() -> None:
    found = sentences(HOME)
    assert [one for one in found if not ORDER.fullmatch(one)] == []
    assert len(set(found)) > 100
    assert 0.2 < found.count("STOP") / len(found) < 0.47
    assert sum("lamp" in one for one in found) > 1.4 * sum("heating" in one for one in found)


def test_rules_in_capitals_join_their_parts() -> None:
    found = sentences('start: "a" WORD "b"\nWORD: "x" "-" /[y]{2}/ "\\"\\n"', 1)
    assert found == ['a x-yy"\n b']


def test_a_grammar_that_uses_itself_ends() -> None:
    deep = 'start: "(" start ")" start | start start | "x"'
    with ends():
        found = sentences(deep, 50)
    assert all(one.count("(") == one.count(")") for one in found)


@pytest.mark.parametrize(
    ("grammar", "said"),
    [
        ("", "there is no rule 'start', with which sentences begin; there are none"),
        ("begin: 'a'", "line 1: \"'a'\" is no part of a grammar"),
        (
            'start: "a" wrod\nword: "b"',
            "the rule 'start' uses 'wrod', which is no rule; Did you mean 'word'?",
        ),
        ('start: "a" start', "the rule 'start' never ends: every way of it leads back to itself"),
        ('start: a\na: b | a b\nb: a "x"', "the rule 'start' never ends"),
        ('start: ("a" | "b"', "line 1: a bracket is not closed"),
        ('start: "a" )', "line 1: ')' stands where nothing is expected"),
        ("\nstart: | * ", "line 2: '*' stands where a part of a sentence is expected"),
        ('start: "a"\nstart: "b"', "line 2: the rule 'start' stands twice"),
        ("start: /a|b/", "line 1: the pattern /a|b/ cannot be drawn from at '|'"),
        ("start: /[^a]/", "line 1: the set [^a] of /[^a]/ says what is not drawn; say what is"),
        ("start: /[z-a]/", "line 1: [z-a] of /[z-a]/ has a range that goes backwards"),
        ('start: "a"{3,2}', "line 1: {3,2} is no number of repetitions up to 1000"),
        ('start: 0: "a" | 0: "b"', "line 1: all ways have the weight 0"),
        ('"a" start: "b"', "line 1: a rule begins with its name"),
        (
            "start: r0\n" + "\n".join(f"r{n}: r{n + 1}" for n in range(99)) + '\nr99: "a"',
            "the rule 'start' leads through 100 rules",
        ),
        ("\n".join(f'r{n}: "a"' for n in range(1001)), "it has 1,001 rules, and 1,000 are read at most"),
        ("start: " + "(" * 60 + '"a"' + ")" * 60, "line 1: brackets stand more than 50 deep in one another"),
    ],
)
def test_what_is_wrong_is_said_with_its_line(grammar: str, said: str) -> None:
    with pytest.raises(GrammarError) as caught:
        Grammar(grammar)
    assert str(caught.value).startswith(said)


def test_a_sentence_that_grows_without_bound_is_stopped() -> None:
    rules = "\n".join(f"a{n}: a{n + 1}{{10}}" for n in range(8))
    small = f'start: a0\n{rules}\na8: "word"'
    for grammar in (small, small.replace("a", "A").replace("stArt", "start")):
        with ends(), pytest.raises(GrammarError, match="grew beyond 100,000 parts"):
            Grammar(grammar).sentence(random.Random(0))


def test_a_column_draws_them() -> None:
    done = sampled({"x": {"type": "sentence", "grammar": HOME}}, 50, input="{{ x }}", expected="x")
    assert all(ORDER.fullmatch(row.expected) for row in done.new)
