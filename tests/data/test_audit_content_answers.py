"""What the audit finds odd about answers."""

import pytest
import yaml
from looked import found, kinds, row
from pydantic import TypeAdapter
from worked import worked

from ends import ends
from tunewright.core.example import make_document
from tunewright.data.audit.answers import Answers
from tunewright.data.audit.kinds import KINDS
from tunewright.data.audit.pairs import Pairs
from tunewright.data.audit.refusals import refuses
from tunewright.data.audit.told import Told
from tunewright.data.ops import RecipeOp

SENTENCE = (
    "The parcel came on Monday, and the {} with the blue shade was broken, so we sent another one to you."
)
GOOD = [row(f"What about lamp {n}?", SENTENCE.format(f"lamp {n}")) for n in range(30)]


def test_good_answers_are_not_told():
    assert kinds(Answers(), GOOD) == {}


def test_words_that_stand_for_an_answer():
    rows = [
        *GOOD,
        row("And this?", "See above"),
        row("Fill in", "Dear [Your Name], thank you for {{Order Number}}."),
    ]
    assert found(Answers(), rows) == [
        (
            "placeholder_answer",
            "warning",
            1,
            "1 of 32 rows (3.1%) answer with a word that stands for an answer.",
        ),
        (
            "template_left",
            "info",
            1,
            "1 of 32 rows (3.1%) answer with a blank that is still to be filled in.",
        ),
    ]


def test_labels_may_be_such_words():
    assert kinds(Answers(), [row(f"Is {n} well?", ("ok", "broken")[n % 2]) for n in range(20)]) == {}


def test_the_question_said_again():
    assert kinds(Answers(), [*GOOD, row("Where is my lamp?", "where is MY lamp?")]) == {"echo_answer": 1}


def test_answers_that_break_off():
    rows = [
        *GOOD,
        row("Show it", "Sure:\n```python\nprint(1)"),
        row("Tell me", SENTENCE.format("lamp") + " And then we went to the other shop in the town and"),
    ]
    assert [(kind, count, message.split(") ")[1]) for kind, _, count, message in found(Answers(), rows)] == [
        ("cut_answer", 1, "open a block of code and do not close it."),
        ("cut_answer", 1, "end in the middle of a sentence, which most do not."),
    ]


def test_where_most_end_without_a_full_stop_it_says_nothing():
    rows = [row(f"Lamp {n}?", SENTENCE.format(f"lamp {n}")[:-1]) for n in range(30)]
    assert kinds(Answers(), rows) == {}


def test_lists_need_no_full_stop():
    steps = "First you open the page with your order, then you choose one:\n- the button that says return to the shop"
    assert kinds(Answers(), [*GOOD, row("How?", steps)]) == {}


def test_answers_cut_at_one_length():
    whole = [
        row(f"Tell {n}", f"{n:03} {'word ' * n} and so on, until the end of it is reached.")
        for n in range(30, 60)
    ]
    cut = [row(f"Cut {n}", (f"{n:03} " + "a word more. " * 40)[:400]) for n in range(8)]
    rows = [*whole, *cut]
    assert [message for kind, _, _, message in found(Answers(), rows)] == [
        "8 of 38 rows (21.1%) have the longest answers (400 characters) and no end: cut off."
    ]


def test_refusals_are_told_and_many_are_a_warning():
    refused = [
        row(f"Do {n}", f"I’m sorry, but I can't help with request {n}, which is long.") for n in range(5)
    ]
    few = found(Answers(), [row(f"Ask {n}", SENTENCE.format(n)) for n in range(200)] + refused[:1])
    many = found(Answers(), [*GOOD, *refused])
    assert few == [("refusal", "info", 1, "1 of 201 rows (0.5%) refuse, or speak as an AI.")]
    assert many == [
        (
            "refusal",
            "warning",
            5,
            "5 of 35 rows (14.3%) refuse, or speak as an AI: from about 3% on a model learns to refuse harmless"
            " questions too.",
        )
    ]


@pytest.mark.parametrize(
    "answer",
    [
        "I cannot help with that.",
        "I'm unable to provide this.",
        "As an AI language model, I have no body.",
        "Ich kann Ihnen dabei leider nicht helfen.",
        "Als KI-Modell habe ich keine Meinung.",
        "Je suis désolé, je ne peux pas vous aider.",
        "En tant qu'IA, je ne sais pas.",
        "Lo siento, no puedo ayudar con eso.",
        "Mi dispiace, non posso aiutarti.",
        "Não posso ajudar com isso.",
        "Ik kan je daar helaas niet mee helpen.",
        "Niestety nie mogę pomóc.",
        "Bohužel nemohu pomoci.",
        "К сожалению, я не могу помочь.",
        "抱歉，我无法提供这些信息。",
        "申し訳ありませんが、お手伝いできません。",
        "죄송하지만 도와드릴 수 없습니다.",
    ],
)
def test_a_refusal_is_known(answer):
    assert refuses(answer) is not None


@pytest.mark.parametrize(
    "answer",
    [
        "I can help with that.",
        "I am sorry about the lamp. Please send it back.",
        "You cannot help being late.",
        "Ich kann Ihnen helfen, nicht nur heute.",
        "Como dijimos, puede venir.",
        "我的订单在哪里",
        "",
    ],
)
def test_no_refusal(answer):
    assert refuses(answer) is None


def test_one_answer_for_all():
    same = [row(f"Which {n}?", "delivery") for n in range(20)]
    assert found(Answers(), same) == [
        ("constant_answer", "error", 20, "20 of 20 rows (100.0%) have one and the same answer.")
    ]
    assert [severity for _, severity, _, _ in found(Answers(), [*same, row("x", "refund")])] == ["warning"]


def test_blanks_around_some():
    assert kinds(Answers(), [*GOOD, row("Where?", " At the door.")]) == {"outer_blank": 1}
    assert kinds(Answers(), [row(f"Q {n}", f" at {n}") for n in range(9)]) == {}


def test_badly_rated_answers_and_documents_are_left_out():
    assert (
        kinds(Answers(), [row("Q", "See above", desirable=False), make_document("I cannot help with that.")])
        == {}
    )


def test_a_label_in_its_question():
    labels = ("refund", "delivery", "billing")
    told = [row(f"Ticket {n}, category: {labels[n % 3]}.", labels[n % 3]) for n in range(30)]
    assert found(Told(), told) == [
        (
            "label_in_input",
            "warning",
            30,
            "30 of 30 rows (100.0%) hold their answer in the question: a model would learn to copy it.",
        )
    ]
    choices = [row(f"Ticket {n}. Is it refund, delivery or billing?", labels[n % 3]) for n in range(30)]
    assert found(Told(), choices) == []
    assert found(Told(), [row(f"Ticket {n}", labels[n % 3]) for n in range(30)]) == []


def test_pairs():
    longer = [row(f"Say {n}", f"A long and good answer {n}.", rejected="No.") for n in range(30)]
    equal = row("Say it", "Yes.", rejected="yes. ")
    assert [(kind, severity, count) for kind, severity, count, _ in found(Pairs(), [*longer, equal])] == [
        ("equal_pair", "error", 1),
        ("longer_chosen", "info", 30),
    ]
    assert found(Pairs(), GOOD) == []


@pytest.mark.parametrize(
    ("check", "kind", "odd"),
    [
        (Pairs, "equal_pair", row("Say it", "Yes,  I do.", rejected="yes, i do. ")),
        (Answers, "echo_answer", row("Where is  it now?", "where is it NOW?")),
    ],
)
def test_what_is_said_to_mend_it_does(check, kind, odd):
    fine = row("Say", "Yes.", rejected="No.")
    op = TypeAdapter(RecipeOp).validate_python(yaml.safe_load(KINDS[kind].recipe))
    assert kinds(check(), [odd, fine]) == {kind: 1}
    assert worked([op], [odd, fine]).kept == [fine]


def test_hostile_answers_take_no_time():
    texts = [
        "{{" + " " * 100_000,
        "[your " * 30_000,
        "```" * 50_001,
        "i'm sorry, but i " * 10_000,
        "a. " * 50_000 + "b",
    ]
    with ends():
        assert kinds(Answers(), [row("q", text) for text in texts])["cut_answer"] >= 1
