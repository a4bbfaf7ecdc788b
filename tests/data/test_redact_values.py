"""Values of fields: which numbers are somebody's, and placeholders that are the same wherever the key is."""

import random
import re

import pytest

from tunewright.data.redact.naming import PLACEHOLDER, sealed
from tunewright.data.redact.redactor import Redactor
from tunewright.data.redact.span import Kind
from tunewright.data.redact.values import Value, within

KEY = b"k" * 32


def kinds(name: str, text: str) -> list[Kind]:
    return [span.kind for span in Redactor().find_in_value(Value(name, text))]


def seal(*texts: str, key: bytes = KEY) -> tuple[str, ...]:
    return sealed(texts, Redactor().find_all(texts), key)


def test_any_ten_digits_in_a_field_are_no_phone() -> None:
    drawn = random.Random(3)
    numbers = [str(drawn.randrange(2_000_000_000, 9_999_999_999)) for _ in range(300)]
    assert [number for number in numbers if kinds("order", number)] == []
    assert len([number for number in numbers if Redactor().find(number)]) > 150


@pytest.mark.parametrize(
    "name",
    [
        *("phone", "mobileNumber", "home_tel", "Fax", "customer.phone", "phone_2", "WhatsApp", "téléphone"),
        *("phones", "homephone", "telefonnummer", "mobiltelefon", "PhoneNumbers", "Handynr", "phone.home"),
        *("cell_number", "phone no. 2", "contact.phones.value", "phoneWork1", "teléfono", "mobile", "sms"),
    ],
)
def test_a_name_says_that_digits_are_a_phone(name: str) -> None:
    assert kinds(name, "4155550123") == [Kind.PHONE]
    assert Redactor((Kind.EMAIL,)).find_in_value(Value(name, "4155550123")) == []
    assert Redactor(sure=0.9).find_in_value(Value(name, "4155550123")) == []


@pytest.mark.parametrize(
    "name",
    [
        *("phone_id", "headphone", "telemetry", "cellar", "order", "phoneModel", "", "mobile_revenue"),
        *(
            "sms_sent",
            "fax_pages",
            "phone_price",
            "mobile_users",
            "cell",
            "phone.id",
            "phone_value",
            "phone_2024",
        ),
    ],
)
def test_names_that_say_nothing_of_a_phone(name: str) -> None:
    assert kinds(name, "4155550123") == []


@pytest.mark.parametrize(
    ("redactor", "kind"),
    [
        (Redactor(), Kind.CARD),
        (Redactor(sure=0.9), Kind.CARD),
        (Redactor((Kind.CARD,)), Kind.CARD),
        (Redactor((Kind.PHONE,)), Kind.PHONE),
    ],
)
def test_a_card_in_a_phones_field_is_found(redactor: Redactor, kind: Kind) -> None:
    for name in ("phone", "mobile"):
        spans = redactor.find_in_value(Value(name, " 378282246310005"))
        assert [(span.kind, span.start, span.end) for span in spans] == [(kind, 1, 16)]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("+1 (415) 555-0123", Kind.PHONE),
        ("ring 4155550123 at noon", Kind.PHONE),
        ("4111111111111111", Kind.CARD),
        ("DE89370400440532013000", Kind.IBAN),
    ],
)
def test_marks_and_check_digits_say_what_a_value_is(text: str, kind: Kind) -> None:
    assert kinds("note", text) == [kind]


def test_what_a_turn_gives_away_is_found_in_a_value() -> None:
    found = Redactor().find_all(["call me on 4155550123"], [Value("order", "4155550123")])
    assert [[span.kind for span in spans] for spans in found] == [[Kind.PHONE], [Kind.PHONE]]


def test_the_same_thing_is_the_same_wherever_it_stands() -> None:
    one, again = seal("Ann Lee <ann@mail.example>"), seal("from ANN@mail.example", "x")
    assert re.fullmatch(r"\[PERSON_[0-9a-f]{12}\] <(\[EMAIL_[0-9a-f]{12}\])>", one[0])
    assert again == (f"from {one[0].partition('<')[2][:-1]}", "x")


def test_other_things_and_other_keys_are_others() -> None:
    assert len({seal(f"a{at}@mail.example") for at in range(500)}) == 500
    assert seal("a@mail.example") != seal("a@mail.example", key=b"l" * 32)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Mr. J. Smith", "Mr. K. Smith"),
        ("J. K. Smith", "B. Smith"),
        ("+1 212 455-0123", "+1 312 455-0123"),
        ("+49 170 1234567", "+44 170 1234567"),
        ("+1 212 455-0123 ext. 12", "+1 212 455-0123 ext. 13"),
        ("(212) 455-0123", "(312) 455-0123"),
    ],
)
def test_people_and_numbers_that_look_alike_are_others(one: str, other: str) -> None:
    made = seal(one)[0], seal(other)[0]
    assert [len(PLACEHOLDER.findall(text)) for text in made] == [1, 1]
    assert len({match[0] for text in made for match in PLACEHOLDER.finditer(text)}) == 2


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Ann O'Neil", "Ann O’Neil"),
        ("+44 (0)20 7946 0123", "0044 20 7946 0123"),
        ("+1 (212) 455-0123", "+1.212.455.0123"),
        ("(212) 455-0123", "212-455-0123"),
        ("4111 1111 1111 1111", "4111-1111-1111-1111"),
    ],
)
def test_one_thing_written_in_two_ways_is_one(one: str, other: str) -> None:
    assert PLACEHOLDER.fullmatch(seal(one)[0])
    assert seal(one) == seal(other)


def test_names_within_names_are_short() -> None:
    name = ""
    for inner in ("x" * 200_000, "phone", "home"):
        name = within(name, inner)
    assert name == "x" * 69 + ".phone.home"
    assert kinds(name, "4155550123") == [Kind.PHONE]


def test_a_column_is_no_person() -> None:
    for name in ("Ann", "Smith"):
        assert Redactor().find_in_value(Value("", name, is_column=True)) == []
        assert [span.kind for span in Redactor().find_in_value(Value("", name))] == [Kind.PERSON]
    found = Redactor().find_all(["I am Ann Lee"], [Value("", "Lee", is_column=True), Value("", "Lee")])
    assert list(map(len, found)) == [1, 0, 1]


def test_what_was_sealed_stays_as_it_is() -> None:
    texts = seal("Ann Lee <ann@mail.example>, 4111 1111 1111 1111, password: hunter2x!")
    assert len(PLACEHOLDER.findall(texts[0])) == 4
    assert seal(*texts) == texts
    assert Redactor(tuple(Kind)).redact(texts).texts == texts
