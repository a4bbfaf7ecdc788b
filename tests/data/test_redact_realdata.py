"""Redaction on public data: labelled texts of made-up people, and texts that hold next to nothing to find."""

import csv
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from tunewright.data.redact.redactor import Redactor
from tunewright.data.redact.span import Kind, Span

DATA = Path(__file__).parents[3] / "shared" / "data"
WANTED = {
    "EMAIL_ADDRESS": (Kind.EMAIL, 0.95),
    "IBAN_CODE": (Kind.IBAN, 0.95),
    "US_SSN": (Kind.NATIONAL_ID, 0.95),
    "IP_ADDRESS": (Kind.IP, 0.95),
    "DOMAIN_NAME": (Kind.URL, 0.95),
    "CREDIT_CARD": (Kind.CARD, 0.95),
    "PHONE_NUMBER": (Kind.PHONE, 0.9),
    "PERSON": (Kind.PERSON, 0.7),
    "STREET_ADDRESS": (Kind.ADDRESS, 0.7),
}
"""Label → our kind, and the recall wanted."""

pytestmark = [
    pytest.mark.realdata,
    pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not beside the checkout"),
]


@pytest.fixture(scope="module")
def held_out() -> list[dict[str, Any]]:
    """Texts of the templates that the rules were not tuned on."""
    rows = json.loads((DATA / "presidio_synth" / "synth_dataset_v2.json").read_text(encoding="utf-8"))
    return [row for row in rows if row["template_id"] % 2 == 0]


def test_recall_on_labelled_texts(held_out: list[dict[str, Any]]) -> None:
    redactor = Redactor(tuple(Kind))
    total: Counter[str] = Counter()
    hits: Counter[str] = Counter()
    for row in held_out:
        spans = redactor.redact([row["full_text"]]).spans[0]
        for gold in row["spans"]:
            label = gold["entity_type"]
            if label in WANTED:
                total[label] += 1
                hits[label] += covered(
                    row["full_text"], gold, [s for s in spans if s.kind == WANTED[label][0]]
                )
    assert total.keys() == WANTED.keys()
    short = {
        label: hits[label] / total[label] for label in WANTED if hits[label] < WANTED[label][1] * total[label]
    }
    assert short == {}


def covered(text: str, gold: dict[str, Any], spans: list[Span]) -> bool:
    """Whether every letter and digit of a labelled span is inside one of ours."""
    places = range(gold["start_position"], gold["end_position"])
    return all(any(s.start <= at < s.end for s in spans) for at in places if text[at].isalnum())


def test_a_second_redaction_finds_nothing_new(held_out: list[dict[str, Any]]) -> None:
    redactor = Redactor(tuple(Kind))
    once = [redactor.redact([row["full_text"]]).texts for row in held_out]
    assert [redactor.redact(texts).texts for texts in once] == once


def test_banking_questions_hold_next_to_nothing() -> None:
    with (DATA / "banking77" / "test.csv").open(encoding="utf-8", newline="") as stream:
        questions = [row["text"] for row in csv.DictReader(stream)]
    assert alarms(questions) <= 1


def test_school_maths_holds_names_and_nothing_else() -> None:
    lines = (DATA / "gsm8k" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    texts = [json.loads(line)[field] for line in lines for field in ("question", "answer")]
    kinds = tuple(kind for kind in Kind if kind is not Kind.PERSON)
    assert alarms(texts, kinds) <= 1


def test_shell_commands_hold_no_secret() -> None:
    commands = (DATA / "nl2bash" / "all.cm").read_text(encoding="utf-8").splitlines()
    redactor = Redactor([Kind.SECRET])
    assert [command for command in commands if redactor.find(command)] == []


def alarms(texts: list[str], kinds: tuple[Kind, ...] = tuple(Kind)) -> float:
    """Spans found per 1,000 words."""
    redactor = Redactor(kinds)
    return 1000 * sum(len(redactor.find(text)) for text in texts) / sum(len(text.split()) for text in texts)
