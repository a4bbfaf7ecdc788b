"""Cards, bank accounts and national ids: published examples, and what only looks like one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunewright.data.redact.checks import iban, luhn, verhoeff
from tunewright.data.redact.ids import find_ids
from tunewright.data.redact.numbers import find_cards, find_ibans


def found(find, text):
    return [(text[span.start : span.end], span.rule) for span in find(text)]


@pytest.mark.parametrize(
    "number",
    [
        "4111111111111111",
        "4111 1111 1111 1111",
        "5555-5555-5555-4444",
        "378282246310005",
        "3782 822463 10005",
        "30569309025904",
        "6011111111111117",
        "3530111333300000",
        "2223003122003222",
        "6200000000000005",
    ],
)
def test_cards(number):
    text = f"Use {number}, please"
    assert found(find_cards, text) == [(number, "card")]
    changed = number[:-1] + str((int(number[-1]) + 1) % 10)
    assert found(find_cards, f"Use {changed}, please") == []


def test_a_card_before_its_month_of_expiry():
    assert found(find_cards, "card 4111 1111 1111 1111 12/27") == [("4111 1111 1111 1111", "card_named")]


@pytest.mark.parametrize(
    "text",
    [
        "0000000000000000",
        "1700000000000",
        "at 1234567890123456 ns",
        "id=4111111111111111",
        "4111111111111111.5",
        "a4111111111111111",
    ],
)
def test_what_is_no_card(text):
    assert found(find_cards, text) == []


@pytest.mark.parametrize(
    "account",
    [
        "DE89370400440532013000",
        "DE89 3704 0044 0532 0130 00",
        "GB29 NWBK 6016 1331 9268 19",
        "FR1420041010050500013M02606",
        "NO9386011117947",
        "nl91abna0417164300",
        "MT84MALT011000012345MTLCAST001S",
    ],
)
def test_ibans(account):
    assert found(find_ibans, f"to {account} by Monday, as ever") == [(account, "iban")]
    wrong = account.replace(account[2:4], f"{(int(account[2:4]) + 1) % 97:02}", 1)
    assert found(find_ibans, f"to {wrong} by Monday, as ever") == []


@pytest.mark.parametrize(
    ("text", "value", "rule"),
    [
        ("SSN: 123-45-6789", "123-45-6789", "us_ssn"),
        ("my social security number is 123 45 6789", "123 45 6789", "us_ssn"),
        ("NI number AB 12 34 56 C.", "AB 12 34 56 C", "uk_nino"),
        ("NHS no 943 476 5919", "943 476 5919", "uk_nhs"),
        ("DNI 12345678Z", "12345678Z", "es_dni"),
        ("NIE X1234567L", "X1234567L", "es_nie"),
        ("CF RSSMRA85T10A562S", "RSSMRA85T10A562S", "it_codice_fiscale"),
        ("INSEE 2 55 08 14 168 025 38", "2 55 08 14 168 025 38", "fr_nir"),
        ("Steuer-ID: 86095742719", "86095742719", "de_steuer_id"),
        ("BSN 111222333", "111222333", "nl_bsn"),
        ("PESEL 44051401359", "44051401359", "pl_pesel"),
        ("811218-9876 heter", "811218-9876", "se_personnummer"),
        ("HETU 131052-308T", "131052-308T", "fi_hetu"),
        ("CPF 529.982.247-25", "529.982.247-25", "br_cpf"),
        ("Aadhaar 2341 2341 2346", "2341 2341 2346", "in_aadhaar"),
        ("SIN: 046 454 286", "046 454 286", "ca_sin"),
        ("TFN 123 456 782", "123 456 782", "au_tfn"),
        ("passport number C01X00T47", "C01X00T47", "passport"),
    ],
)
def test_national_ids(text, value, rule):
    assert (value, rule) in found(find_ids, text)


@pytest.mark.parametrize(
    "text",
    [
        "000-12-3456",
        "666-12-3456",
        "123-00-4567",
        "12345678A",
        "RSSMRA85T10A562T",
        "131052-308A",
        "529.982.247-24",
        "811218-9877",
        "943 476 5919",
        "111222333",
        "44051401359",
        "order 123456789",
        "file-123-45-6789.txt",
    ],
)
def test_what_is_no_id(text):
    assert found(find_ids, text) == []


@given(st.integers(0, 10**15), st.integers(0, 14), st.integers(1, 9))
def test_luhn_and_verhoeff_see_every_single_wrong_digit(number, place, shift):
    for check in (luhn, verhoeff):
        whole = next(f"{number:015}{digit}" for digit in range(10) if check(f"{number:015}{digit}"))
        other = str((int(whole[place]) + shift) % 10)
        assert not check(whole[:place] + other + whole[place + 1 :])


def test_iban_knows_its_countries():
    assert iban("GB29NWBK60161331926819")
    assert not iban("GB29NWBK6016133192681")
    assert not iban("XX29NWBK60161331926819")
