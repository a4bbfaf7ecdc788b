"""What changed: the ten worst and the ten most changed answers, in order, each beside the best baseline's."""

import html
import random
import re
from typing import NamedTuple

import pytest
from report_sample import sample

from tunewright.core.grading import Score
from tunewright.report.page import render

SUMMARY = re.compile(
    r'<span class="id">(?P<id>[0-9a-f]+)</span></h4><pre>(?P<asked>.*?)</pre>.*?'
    r"<h4>Expected</h4><pre>(?P<expected>.*?)</pre>"
    r"(?P<answers>.*?)</details>",
    re.DOTALL,
)
ANSWER = re.compile(
    r'<h4><b>(?P<variant>.*?)</b> · (?P<share>.*?)</h4>\s*<div class="reply">(?P<reply>.*?)</div>', re.DOTALL
)


class Answer(NamedTuple):
    variant: str
    share: str
    reply: str


class Shown(NamedTuple):
    id: str
    asked: str
    expected: str
    answers: list[Answer]


def plain(markup: str) -> str:
    """What a variant said: without what is written in as missing, blanks folded."""
    said = re.sub(r"<ins.*?</ins>", "", markup, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", "", said)).split())


def under(page: str, heading: str) -> list[Shown]:
    """The examples under a heading, in the page's order."""
    part = re.split(r"<h3>|</section>", page.split(f"<h3>{heading}</h3>")[1])[0]
    return [
        Shown(
            found["id"],
            html.unescape(found["asked"]),
            html.unescape(found["expected"]),
            [
                Answer(answer["variant"], answer["share"], plain(answer["reply"]))
                for answer in ANSWER.finditer(found["answers"])
            ],
        )
        for found in SUMMARY.finditer(part)
    ]


def regraded(card, seed):
    """The card with scores of every size, half of them 1."""
    draw = random.Random(seed)
    scores = [1.0 if draw.random() < 0.5 else draw.random() for _ in card.replies]
    replies = [
        reply.model_copy(update={"scores": {**reply.scores, "field_accuracy": Score(score)}})
        for reply, score in zip(card.replies, scores, strict=True)
    ]
    return card.model_copy(update={"replies": tuple(replies)})


@pytest.fixture(scope="module")
def data():
    whole = sample("fails")
    cards = [regraded(card, seed) if card.suite == "test" else card for seed, card in enumerate(whole.cards)]
    return whole.model_copy(update={"cards": tuple(cards)})


@pytest.fixture(scope="module")
def page(data):
    return render(data)


@pytest.fixture(scope="module")
def scores(data):
    """Variant → example → score, of the fine-tune and the best baseline."""
    cards = {card.variant: card for card in data.cards if card.suite == "test"}
    rival = data.verdict.comparisons[0].rival
    return {
        name: {reply.example: reply.scores["field_accuracy"].value for reply in cards[name].replies}
        for name in (rival, "fine-tune")
    }


def expected(data, scores, ids):
    """How the page should show the examples: the text, then the best baseline's answer and the fine-tune's."""
    replies = {
        (card.variant, reply.example): reply.text
        for card in data.cards
        for reply in card.replies
        if card.suite == "test"
    }
    return [
        Shown(
            id_,
            data.examples[id_].input,
            data.examples[id_].expected,
            [
                Answer(
                    name,
                    f"{100 * of[id_]:.3g} %",
                    " ".join(replies[name, id_].split()),
                )
                for name, of in scores.items()
            ],
        )
        for id_ in ids
    ]


def test_the_ten_worst_answers_stand_lowest_first_beside_the_best_baselines(data, page, scores):
    tuned = scores["fine-tune"]
    wrong = sorted((id_ for id_ in tuned if tuned[id_] < 1), key=tuned.__getitem__)
    assert len({tuned[id_] for id_ in wrong[:11]}) == 11  # there is an order to be seen
    assert list(scores) == ["few-shot-4", "fine-tune"]
    assert under(page, "The ten worst answers") == expected(data, scores, wrong[:10])


def test_the_ten_most_changed_are_losses_then_gains_the_largest_first(data, page, scores):
    before, after = scores.values()
    change = {id_: after[id_] - before[id_] for id_ in after}
    losses = sorted((id_ for id_ in change if change[id_] < 0), key=change.__getitem__)
    gains = sorted((id_ for id_ in change if change[id_] > 0), key=lambda id_: -change[id_])
    assert len({change[id_] for id_ in [*losses[:6], *gains[:6]]}) == 12
    shown = under(page, "Changed most against few-shot-4")
    assert shown == expected(data, scores, [*losses[:5], *gains[:5]])
