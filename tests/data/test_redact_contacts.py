"""E-mail, phone, web and IP addresses, and streets: found whole, and not in what only looks like them."""

import pytest

from tunewright.data.redact.addresses import find_addresses
from tunewright.data.redact.contacts import find_emails, find_ips, find_phones, find_urls


def found(find, text):
    return [text[span.start : span.end] for span in find(text)]


@pytest.mark.parametrize(
    ("text", "emails"),
    [
        ("Write to ann.lee+shop@mail.example.co.uk.", ["ann.lee+shop@mail.example.co.uk"]),
        ("<jürgen@bücher.example>, x@y.io;z_9@q-r.de", ["jürgen@bücher.example", "x@y.io", "z_9@q-r.de"]),
        ("mailto:ann@example.org", ["ann@example.org"]),
        ("{'mail': 'mara@mail.com'}, 'x@y.com'", ["mara@mail.com", "x@y.com"]),
        ("o'brien@example.org", ["o'brien@example.org"]),
        ("ann (at) example (dot) org", ["ann (at) example (dot) org"]),
        ("postgres://bob:pw@db.example.com/x", []),
        ("@handle, a@b, user@localhost, 5@3.2", []),
    ],
)
def test_emails(text, emails):
    assert found(find_emails, text) == emails


@pytest.mark.parametrize(
    "number",
    [
        "+1 415-555-0132",
        "+44 20 7946 0123",
        "+49 (0)30 901820",
        "0044 20 7946 0123",
        "(415) 555-0132",
        "415.555.0132",
        "415-555-0132 ext. 12",
        "+1-984-182-0190x0135",
        "07700 900 123",
        "01.84.17.61.18",
        "(37) 788-063",
        "9472 7916",
        "699 956 915",
    ],
)
def test_phones(number):
    assert found(find_phones, f"Ring {number}, after six") == [number]


def test_a_phone_is_found_in_any_grouping_beside_its_word():
    assert found(find_phones, "my mobile number is 12 3 45 67 89") == ["12 3 45 67 89"]


@pytest.mark.parametrize(
    "text",
    [
        "on 2025-03-14 10:11:12",
        "from 1999-2003 and 2001 2002",
        "14.03.2025 or 14-03-2025",
        "48/2=24 and 3.14159265",
        "$1,000,000 and 1000000 users",
        "ISBN 978-3-16-148410-0",
        "550e8400-e29b-41d4-a716-446655440000",
        "8d 0a 74 23 76 94 97 cc",
        "192.168.100.200",
        "at 1700000000",
        "4111 1111 1111 1111",
        "arn:aws:iam::004784520252:role",
    ],
)
def test_what_is_no_phone(text):
    assert found(find_phones, text) == []


@pytest.mark.parametrize(
    ("text", "urls"),
    [
        (
            "See https://example.org/a?b=c#d, or www.example.org.",
            ["https://example.org/a?b=c#d", "www.example.org"],
        ),
        ("(see https://example.org/x_(y))", ["https://example.org/x_(y)"]),
        ("ftp://example.org/é <http://a.b>", ["ftp://example.org/é", "http://a.b"]),
        ("mailto:x, example.org, a://b", []),
    ],
)
def test_urls(text, urls):
    assert found(find_urls, text) == urls


@pytest.mark.parametrize(
    ("text", "addresses"),
    [
        ("from 36.106.174.11: and 10.1.1.2.", ["36.106.174.11", "10.1.1.2"]),
        ("is 2001:db8::ff00:42:8329, or", ["2001:db8::ff00:42:8329"]),
        ("2001:0db8:0000:0000:0000:ff00:0042:8329", ["2001:0db8:0000:0000:0000:ff00:0042:8329"]),
        ("[2001:db8::1]:80", ["2001:db8::1"]),
        ("127.0.0.1, 0.0.0.0, 255.255.255.0, 8.8.8.8, ::1", []),
        ("version 1.2.3.4, v1.2.3.4, 1.2.3.4.5, 999.1.1.1", []),
        ("std::vector, 10:11:12, a::b, 0a:1b:2c", []),
    ],
)
def test_ips(text, addresses):
    assert found(find_ips, text) == addresses


@pytest.mark.parametrize(
    ("text", "address"),
    [
        ("I live at 12 Long Meadow Street, Leeds LS1 4AP.", "12 Long Meadow Street, Leeds LS1 4AP"),
        (
            "Ship to 1700 Pacific Coast Hwy, Suite 12, Capitola, CA 95010!",
            "1700 Pacific Coast Hwy, Suite 12, Capitola, CA 95010",
        ),
        ("bei Bahnhofstraße 12, danke", "Bahnhofstraße 12"),
        ("au 12 rue de la Paix", "12 rue de la Paix"),
        ("ul. Jasna 3", "ul. Jasna 3"),
        ("P.O. Box 255", "P.O. Box 255"),
        ("PSC 6293, Box 8158\nAPO AP 04336", "PSC 6293, Box 8158\nAPO AP 04336"),
        ("my zip code is 35350", "35350"),
        ("28245 Puruntie 82 Apt. 595", "28245 Puruntie 82 Apt. 595"),
    ],
)
def test_addresses(text, address):
    assert address in found(find_addresses, text)


@pytest.mark.parametrize(
    "text",
    [
        "She needs 12 place settings and 5 chairs",
        "covering 150 miles each",
        "During 10 years, 20 people",
        "In 2004 Anna had 3 cats",
        "Chapter 5, page 12",
        "5 Apples and 6 Pears",
        "port 22 via connection",
    ],
)
def test_what_is_no_address(text):
    assert found(find_addresses, text) == []
