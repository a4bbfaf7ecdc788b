"""Redaction of conversations: steady placeholders, a report that gives nothing away, bad models, hostile text."""

import json
import re
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ends import ends
from tunewright.core.errors import DataError
from tunewright.data.redact.hints import hints_in
from tunewright.data.redact.redactor import Redactor
from tunewright.data.redact.report import Report, masked
from tunewright.data.redact.span import Kind, Span
from tunewright.data.redact.starts import HELD, LONGEST_HELD, digit_runs, folded
from tunewright.data.redact.values import Value

TALK = [
    "Hi, I'm Ann Lee (ann.lee@example.org).",
    "Hello Ann! Is +44 20 7946 0123 still right?",
    "Yes, +44 (20) 7946-0123. My husband Zorbla Quint uses z@example.org.",
    "Tell Zorbla that Ms Lee pays from DE89 3704 0044 0532 0130 00.",
    "From DE89370400440532013000? ANN.LEE@example.org will know, and the card 4111-1111-1111-1111.",
]
REDACTED = (
    "Hi, I'm [PERSON_1] ([EMAIL_1]).",
    "Hello [PERSON_1]! Is [PHONE_1] still right?",
    "Yes, [PHONE_1]. My husband [PERSON_2] uses [EMAIL_2].",
    "Tell [PERSON_2] that Ms [PERSON_1] pays from [IBAN_1].",
    "From [IBAN_1]? [EMAIL_1] will know, and the card [CARD_1].",
)


def test_equal_things_get_equal_placeholders_through_a_conversation():
    done = Redactor().redact(TALK)
    assert done.texts == REDACTED
    counts = {Kind.PERSON: 5, Kind.EMAIL: 3, Kind.PHONE: 2, Kind.IBAN: 2, Kind.CARD: 1}
    assert done.report.counts == counts
    for text, spans in zip(TALK, done.spans, strict=True):
        assert all(0 <= one.end <= two.start for one, two in pairwise(spans))
        assert all(span.end <= len(text) and 0 < span.sure <= 1 for span in spans)


def test_a_redacted_conversation_stays_as_it_is():
    assert Redactor(tuple(Kind)).redact(REDACTED).texts == REDACTED


def test_placeholders_that_stand_there_already_are_not_used_again():
    done = Redactor().redact(["[EMAIL_1] and ann@example.org", "[EMAIL_2]"])
    assert done.texts == ("[EMAIL_1] and [EMAIL_3]", "[EMAIL_2]")


def test_what_stands_around_a_placeholder_is_still_found():
    done = Redactor().redact(["password: [EMAIL_1]x9Yz!kq, 12 Long [PERSON_1] Street and Bob [PERSON_2]"])
    assert done.texts == (
        "password: [EMAIL_1][SECRET_1], 12 Long [PERSON_1] Street and [PERSON_3] [PERSON_2]",
    )


def test_a_phone_number_is_one_with_and_without_its_country():
    done = Redactor().redact(["+44 20 7946 0123, (020) 7946 0123 or call me on 020-7946-0123"])
    assert done.texts == ("[PHONE_1], [PHONE_1] or call me on [PHONE_1]",)


def test_two_of_one_surname_stay_two_and_the_surname_alone_is_neither():
    done = Redactor().redact(["John Smith and Mary Smith came.", "Smith said hi. John left. Mary stayed."])
    assert done.texts == (
        "[PERSON_1] and [PERSON_2] came.",
        "[PERSON_3] said hi. [PERSON_1] left. [PERSON_2] stayed.",
    )


def test_what_was_given_away_once_is_found_where_nothing_gives_it_away():
    done = Redactor().redact(["try Tr0ub4dor&3x", "the password is Tr0ub4dor&3x"])
    assert done.texts == ("try [SECRET_1]", "the password is [SECRET_1]")
    assert [span.rule for spans in done.spans for span in spans] == ["repeated", "named_in_prose"]


def test_only_the_kinds_asked_for_are_looked_for():
    done = Redactor([Kind.URL, Kind.EMAIL]).redact(["Ann: https://example.org/x, ann@example.org, 10.1.1.2"])
    assert done.texts == ("Ann: [URL_1], [EMAIL_1], 10.1.1.2",)
    assert "person (left out)" in done.report.not_looked_for
    assert Redactor([]).redact(TALK).texts == tuple(TALK)
    assert Redactor().redact(["https://example.org/x"]).texts == ("https://example.org/x",)


def test_what_a_rule_is_less_sure_of_can_be_left():
    assert Redactor(sure=0.9).redact(["Smith, ann@example.org"]).texts == ("Smith, [EMAIL_1]",)


def test_a_kind_that_there_is_not():
    with pytest.raises(
        DataError, match=r"redact\.kinds: there is no kind 'emails' to redact\. The kinds are person, "
    ):
        Redactor(["emails"])  # type: ignore[list-item]


def test_things_that_overlap_become_one_of_the_higher_standing():
    done = Redactor(tuple(Kind)).redact(["at https://bob:hunter2x@db.example.org/x?mail=a@example.org now"])
    assert done.texts == ("at [SECRET_1] now",)
    assert Redactor().redact(["at https://bob:hunter2x@db.example.org/x"]).texts == (
        "at https://[SECRET_1]@db.example.org/x",
    )


def test_a_model_for_names_adds_what_lists_do_not_know():
    def capitals(text: str) -> list[tuple[int, int]]:
        return [match.span() for match in re.finditer(r"Qwx\w+", text)]

    texts = ["the report of Qwxby, too late", "Late: Qwxby's report"]
    assert Redactor().redact(texts).texts == tuple(texts)
    done = Redactor(ner=capitals).redact(texts)
    assert done.texts == ("the report of [PERSON_1], too late", "Late: [PERSON_1]'s report")
    assert not any("no model" in line for line in done.report.not_looked_for)


def test_a_model_that_fails_gives_nothing_away():
    def broken(text: str) -> list[tuple[int, int]]:
        raise ValueError(text)

    with pytest.raises(DataError) as caught:
        Redactor(ner=broken).redact(["the secret text"])
    assert str(caught.value).startswith(
        "redact.ner: the model for names failed on a text of 15 characters (ValueError)."
    )
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    with pytest.raises(DataError, match=r"answered 3 to 99 for a text of 15 characters"):
        Redactor(ner=lambda text: [(3, 99)]).redact(["the secret text"])


def test_the_report_gives_nothing_away():
    done = Redactor().redact(TALK)
    said = json.dumps(done.report.as_json(), ensure_ascii=False)
    for found in ("Ann", "Lee", "Zorbla", "ann.lee", "example.org", "7946", "DE89", "4111"):
        assert found not in said
        assert found not in repr(done)
    assert done.report.samples == {
        Kind.PERSON: ["A… L…", "A…", "Z… Q…", "Z…", "L…"],
        Kind.EMAIL: ["a…@…", "z…@…", "A…@…"],
        Kind.PHONE: ["+…"],
        Kind.IBAN: ["D…"],
        Kind.CARD: ["4…"],
    }
    assert done.report.rules["person.repeated"] == 1


def test_reports_add_up():
    report = Report(kinds=tuple(Kind))
    for text in TALK:
        report.merge(Redactor(tuple(Kind)).redact([text]).report)
    assert (report.texts, report.characters) == (5, sum(map(len, TALK)))
    assert report.counts[Kind.EMAIL] == 3
    assert len(report.samples[Kind.PERSON]) <= 5


@given(st.sampled_from(list(Kind)), st.text(min_size=1))
def test_a_mask_shows_one_sign_of_each_word_at_most(kind, value):
    mask = masked(kind, value)
    assert value not in mask or value in ("…", "@", ".", " ", "…@…")
    assert len(re.sub(r"[…@ ]", "", mask)) <= (4 if kind is Kind.PERSON else 1)


@settings(max_examples=200)
@given(
    st.lists(
        st.text(st.characters(exclude_categories=["Cs", "L", "N"]), max_size=12), min_size=4, max_size=4
    ),
    st.permutations(["ann.lee@example.org", "GB29NWBK60161331926819", "4111111111111111", "123-45-6789"]),
)
def test_what_stands_apart_is_found_whatever_signs_stand_around(around, planted):
    text = "".join(f"{signs} {value} " for signs, value in zip(around, planted, strict=True))
    done = Redactor().redact([text])
    assert not any(value in done.texts[0] for value in planted)


@given(st.lists(st.text(), max_size=4))
def test_everything_outside_the_spans_is_kept(texts):
    done = Redactor(tuple(Kind)).redact(texts)
    for text, redacted, spans in zip(texts, done.texts, done.spans, strict=True):
        pattern, at = "", 0
        for span in spans:
            pattern += re.escape(text[at : span.start]) + rf"\[{span.kind.name}_\d+\]"
            at = span.end
        assert re.fullmatch(pattern + re.escape(text[at:]), redacted)


def test_spans_carry_no_text():
    assert Span._fields == ("kind", "start", "end", "rule", "sure")


HOSTILE = (
    *(
        "1",
        "1 ",
        "a@a.",
        "1.",
        "Aa ",
        "a:",
        "a://a:",
        "eyJa.",
        "-----BEGIN PRIVATE KEY-----",
        "password=",
        "12 Aa ",
    ),
    *(
        "A. ",
        " ",
        "\n",
        "(",
        "\u00a0a",
        "my name is ",
        "+1 ",
        "regards\n",
        "a",
        "A-",
        "AIza",
        "GB12 ",
        "corner of Aa ",
    ),
    *(
        "[EMAIL_1]",
        "12 rue de ",
        "1:",
        "Aa, ",
        "+1-",
        "sk-",
        "aws_secret_access_key = ",
        "name: ",
        "Mr ",
        "''",
    ),
)


@pytest.mark.parametrize("piece", HOSTILE)
def test_hostile_text_comes_to_an_end(piece):
    """Half a second is usual; a pattern whose time grows with the square of a text takes minutes."""
    text = piece * (240_000 // len(piece)) + "x"
    with ends():
        Redactor(tuple(Kind)).redact([text])


def test_rows_looked_over_together_are_as_each_alone():
    long = f"{TALK[0]} {'word ' * LONGEST_HELD}Zorbla"
    fields = [Value("", "phone", is_column=True), Value("phone", "4155550123"), Value("order", "4155550123")]
    rows = [([f"Order {at} is late.", TALK[at % 5], ""], fields if at % 2 else []) for at in range(2 * HELD)]
    rows += [([long, "Write to Ann Lee, Zorbla."], []), (TALK, fields), ([], fields), ([], [])]
    alone = [Redactor().find_all(*row) for row in rows]
    assert Redactor().find_each(rows) == alone
    assert sum(map(any, alone)) > HELD
    redactor = Redactor()
    assert [redactor.find_all(*row) for row in rows] == alone
    assert redactor.find_each(rows[::-1]) == alone[::-1]


def test_a_model_for_names_is_asked_of_each_text():
    asked = []

    def ner(text):
        asked.append(text)
        return [(0, 3)] if text.startswith("Qux") else []

    rows = [(["Qux pays", "12"], [Value("who", "Qux")]), (["Qux pays", "nobody"], [])]
    found = Redactor(ner=ner).find_each(rows)
    assert [[[span.rule for span in spans] for spans in row] for row in found] == [
        [["ner"], [], ["ner"]],
        [["ner"], []],
    ]
    assert asked == ["Qux pays", "12", "Qux", "nobody"]


def test_of_long_texts_nothing_is_held():
    Redactor().find("Ann has 12 words. " * LONGEST_HELD)
    assert [look.cache_info().currsize for look in (digit_runs, folded, hints_in)] == [0, 0, 0]
