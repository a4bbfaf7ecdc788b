"""What the audit finds odd about letters."""

import pytest
from looked import found, kinds, row

from ends import ends
from tunewright.data.audit.signs import Signs


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("FranÃ§ois asked for cafÃ©", "mojibake"),
        ("a lost \ufffd sign", "lost_sign"),
        ("zero\u200bwidth", "hidden_sign"),
        ("a bell \x07", "hidden_sign"),
        ("turned \u202e text", "hidden_sign"),
        ("<p>Hello&nbsp;there</p>", "html"),
        ("my рауpal order", "mixed_script"),
        ("https://example.com/a?b=c www.example.org", "url_only"),
    ],
)
def test_one_oddity(text, kind):
    assert kinds(Signs(), [row("plain"), row(text)]) == {kind: 1}


@pytest.mark.parametrize(
    "text",
    [
        "“Where’s my café?” – said François…",
        "a < b and List<int> & more",
        "two\r\nlines\tand a tab",
        "```html\n<p>x</p>\n```",
        "USB-кабель и SMSки",
        "see https://example.com",
        "👩‍👩‍👧 می‌خواهم",
    ],
)
def test_plain_text_is_not_told(text):
    assert kinds(Signs(), [row(text)]) == {}


def test_a_row_counts_once_and_shows_the_place():
    check = Signs()
    assert found(check, [row("<b>x</b>", "<i>y</i>"), row("z")]) == [
        ("html", "info", 1, "1 of 2 rows (50.0%) hold left-overs of HTML.")
    ]
    hidden = Signs()
    hidden.see(row("a" * 100 + "\u200b" + "b"))
    assert hidden._hits["hidden_sign"].shown[0].excerpt == f"… {'a' * 30}⟨200B⟩b"


def test_hostile_texts_take_no_time():
    texts = ["http://" * 30_000 + "\x00 x", "aа" * 30_000, "<a " * 30_000, "&#" * 30_000]
    with ends():
        kinds(Signs(), [row(text) for text in texts])
