"""What spares the search work changes nothing: with every shortcut taken out, the same is found."""

import json
import tracemalloc
from contextlib import ExitStack
from pathlib import Path
from unittest.mock import patch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tunewright.data.redact import addresses, contacts, cues, ids, numbers, people, secrets
from tunewright.data.redact.hints import _BLOCK, _words, hints_in
from tunewright.data.redact.redactor import FINDERS
from tunewright.data.redact.starts import (
    CAPITALISED,
    capitals,
    digit_count,
    digit_runs,
    long_numbers,
    long_tokens,
    name_signs,
    occurrences,
)

SYNTH = Path(__file__).parents[3] / "shared/data/presidio_synth/synth_dataset_v2.json"
PIECES = [
    *("Dr.", "mr ", "Regards,\n", "regards\n", "My name is "),
    *("call me ", "this is ", "i am ", "I'm ", "name: ", "Hi, "),
    *("From: ", "By ", "my wife ", "name? ", "user: ", "thank you ", "card holder: ", "Name on the card? ", ", and "),
    *("Anna", "anna", "Keller", "Faleno", "Jürgen", "José Pérez"),
    *("O'Neil", "McKay", "van der Berg", "J. R.", "I", "Jr.", "Łukasz"),
    *(" says", ", said", "'s wife", "’s car", ": “", "\" said "),
    *(" lives", " and ", ", ", " & ", "Street", "high school"),
    *("+49 30 1234567", "(030) 123 456", "555-1234"),
    *("tel 12 34 56", "Phone: 123456", "TEL: 030 12345", "text me at 123456"),
    *("AB 12 34 56 78 C", "AB123456C", "X1234567L", "12345678Z", "passport C01X00T47", "SSN 123-45-6789"),
    *("ssn 123456789",),
    *("pan ABCPL1234C", "131052-308T", "811218-9876"),
    *("RSSMRA85T10A562S", "licence number 1234567", "tax 12 345 678 903"),
    *("DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "4111 1111 1111 1111"),
    *("378282246310005", "10.0.0.7", "v1.2.3.4"),
    *("::1", "2001:db8::1", "a.b@example.org", "@", "x (at) y (dot) org", "https://user:pw1@host.org", "www.x.org"),
    *("12 Long Street", "Rue de Rivoli 12", "12 rue de Rivoli"),
    *("12 W Street", "00 W 4667 Greenwood", "12b 5  5th Old street", "13 March. On 4"),
    *("postgres://ann:pw1x@db", "https://www.x.org:80/y", "a? ", "St. "),
    *("Bahnhofstraße 12", "Erzsébet tér 19.", "28245 Puruntie 82"),
    *("via Roma 5", "corner of Main and Oak", "PO Box 12"),
    *("P.O. Box #9", "apt 4", "Apt.#12", "Springfield, IL 62701"),
    *("zip 12345", "USNS Smith FPO AA 12345", "Unit 1 Box 2 DPO AE 09999", "live at 12 main 5", "sent to: 12 Foo 33"),
    *("postfach 1", "PLZ 8001", "postal code: 1012 AB", "the corner of Main and 5 Oak"),
    *("-----BEGIN RSA PRIVATE KEY-----\n" + "MIIB" * 12 + "\n-----END RSA PRIVATE KEY-----",),
    *("password is hunter2x", "api_key=abc123DEF456", "PIN 1234", "pin: 1234", "hf_" + "a1" * 20, "AKIA" + "A2" * 8),
    *("[PERSON_1]", "²", "१२३४५६७", "İ", "ſ", "ß", "ı", "STRASSE 12"),
    *("\n", "\t", "  ", ". ", "! ", "-", "/", "word", "the box"),
]  # fmt: skip


def plainly(pattern, text, starts):
    return pattern.finditer(text)


def every_id(text):
    for one in ids.IDS:
        yield one, one.pattern.finditer(text)


def without_shortcuts(stack):
    for module in (contacts, numbers, addresses, people, cues):
        stack.enter_context(patch.object(module, "matches", plainly))
    every = addresses._Before(*[True] * len(addresses._Before._fields))
    for module, name, plain in (
        (ids, "_possible", every_id),
        (addresses, "_before_digits", lambda text, runs: every),
        (addresses, "_street_matches", lambda text, *_: addresses._STREET.finditer(text)),
        (addresses, "_named_streets", lambda text, *_: addresses._NAMED.finditer(text)),
        (contacts, "_around_at", contacts._EMAIL.finditer),
        (contacts, "_named_phones", contacts._NAMED_PHONE.finditer),
        (people, "_runs", lambda text: (run.span() for run in people._RUN.finditer(text))),
        (people, "_may_be_name", lambda *_: True),
        (cues, "may_vouch", lambda *_: True),
        (cues, "in_small", cues.IN_SMALL.finditer),
        (secrets, "_hinted", lambda *_: (*secrets.MARKED, *secrets.SURROUNDED)),
        (secrets, "long_tokens", str),
        (contacts, "long_numbers", digit_runs),
        (numbers, "digit_count", lambda _: numbers._FEWEST_DIGITS),
        *((module, "hints_in", lambda _: frozenset(_words)) for module in (addresses, secrets)),
        (secrets, "among", lambda _: frozenset(_words)),
    ):
        stack.enter_context(patch.object(module, name, plain))


def same(texts):
    quick = [[list(find(text)) for find in FINDERS.values()] for text in texts]
    with ExitStack() as stack:
        without_shortcuts(stack)
        assert quick == [[list(find(text)) for find in FINDERS.values()] for text in texts]
    return quick


@settings(max_examples=300)
@given(st.lists(st.sampled_from(PIECES) | st.text(max_size=6), max_size=14), st.sampled_from(["", " ", "\n"]))
def test_drawn_texts(pieces, between):
    text = between.join(pieces)
    same([text, text.lower(), text.upper()])


def test_each_piece_by_itself():
    found = same([*PIECES, *(f"x {piece} y" for piece in PIECES)])
    assert sum(map(bool, (any(kinds) for kinds in found))) > 60


@pytest.mark.realdata
@pytest.mark.skipif(not SYNTH.is_file(), reason="the public data sets are not beside the checkout")
def test_real_texts():
    rows = json.loads(SYNTH.read_text(encoding="utf-8"))
    same([row["full_text"] for row in rows[::3]])


def test_places():
    assert list(digit_runs("a1 22-333 ४५")) == [1, 3, 6, 10]
    assert (digit_count("a1 22"), digit_count("४५ 1")) == (3, 3)
    assert capitals("É aB") == [0, 3]
    assert list(occurrences("abcabc", ["bc", "a", "bca"])) == [0, 1, 3, 4]
    assert list(long_numbers("12 (3)4-56, 1.5 ab 12345")) == [0]
    assert long_tokens(f"Ab {'cD=.' * 5} é{'x' * 19} {'y' * 19}") == f"{'cd=.' * 5} é{'x' * 19}"


def test_words_that_may_be_names():
    def words(text):
        return [
            (text[slice(*found.span())], found.lastindex) for found in CAPITALISED.finditer(name_signs(text))
        ]

    assert words("The Ann of B. C goes on") == [("The Ann", 1), ("B", None), ("C", None)]
    assert words("O'Neil, Ann van der X") == [("O", 1), ("Neil", None), ("Ann", 1), ("X", None)]


def test_words_of_the_finders_that_stand_in_a_text():
    assert {"phone", "zip"} <= hints_in("my PHONE\ud800, zıp")
    assert hints_in("nothing of all") == frozenset()


@pytest.mark.parametrize("before", [0, 1, _BLOCK - 5, _BLOCK - 1, _BLOCK, 3 * _BLOCK - 2])
def test_words_of_a_long_text_are_found_wherever_they_stand(before):
    longest = max(_words, key=len)
    assert longest in hints_in("." * before + longest + "\ud800" + "." * _BLOCK)


@pytest.mark.parametrize("piece", ["1 ", "a1 ", "A1 ", "1(", "123456 "])
def test_a_text_of_nothing_but_numbers_takes_little_memory(piece):
    text = piece * (1_000_000 // len(piece))
    for looked in (digit_runs, long_numbers, hints_in):
        looked("x")
    tracemalloc.start()
    kept = [list(find(text)) for find in (contacts.find_phones, numbers.find_cards, ids.find_ids)]
    assert not any(kept)
    assert tracemalloc.get_traced_memory()[1] < 12 * len(text)
    tracemalloc.stop()


def test_a_text_of_nothing_but_words_takes_little_memory():
    text = "pan tax " * 500_000
    hints_in("x")
    tracemalloc.start()
    assert {"pan", "tax"} <= hints_in(text)
    assert tracemalloc.get_traced_memory()[1] < 8 * len(text)
    tracemalloc.stop()
