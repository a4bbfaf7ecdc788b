"""Text repairs: what each mends, and what each leaves alone."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ends import ends
from tunewright.core.errors import DataError
from tunewright.data.clean import (
    REPAIRS,
    clean,
    collapse_blanks,
    drop_controls,
    drop_quotes,
    drop_signature,
    mend_encoding,
    strip_html,
)

WRITTEN = (
    "François naïvely paid 5 € – “twice”, didn’t he?",
    "Příliš žluťoučký kůň úpěl",
    "Zażółć gęślą jaźń",
    "Привет, как дела?",
    "Γειά σου Κόσμε",
    "日本語のテキスト",
    "great 😀",
    "Paweł",
)


@pytest.mark.parametrize("codec", ["cp1252", "latin-1"])
@pytest.mark.parametrize("text", WRITTEN)
def test_misread_utf8_is_read_again(text, codec):
    misread = as_browsers_read(text, codec)
    assert misread != text
    assert mend_encoding(misread) == text
    assert mend_encoding(as_browsers_read(misread, codec)) == text


def as_browsers_read(text: str, codec: str) -> str:
    """UTF-8 bytes in another encoding; a byte that it leaves undefined is the control character of that number."""
    return "".join(bytes((byte,)).decode(codec, errors="ignore") or chr(byte) for byte in text.encode())


@pytest.mark.parametrize(
    "text", [*WRITTEN, "«CAFÉ»", "CAFÉ»", "ANGSTRÖM…", "São João – Ñ°5", "Â", "plain", ""]
)
def test_text_in_order_stays(text):
    assert mend_encoding(text) == text


def test_a_misread_stretch_is_mended_beside_text_in_order():
    assert mend_encoding("donâ€™t – Łódź, cafÃ©") == "don’t – Łódź, café"


def test_what_is_not_to_be_seen_goes():
    text = "a\u200bb\u00adc\ufeff\x00\x07\u202ed\u202c\r\ne\rf\u2028g\t👩\u200d💻"
    assert drop_controls(text) == "abcd\ne\nf\ng\t👩\u200d💻"


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("I&nbsp;&amp;&#39;you&#x27;<br/>agree &lt;3", "I\u00a0&'you'\nagree <3"),
        ("<p class='x'>One</p><p>Two</p><ul><li>a</li><li>b</li></ul>", "One\nTwo\n- a\n- b\n"),
        ("<style>p {}</style>x<!-- note --><script src='y'>z()</script>y", "xy"),
        ("<header>top</header><head><title>t</title></head>body", "topbody"),
        (
            "List<int> a < b && c > d; <T> &notanentity; AT&T &#0;",
            "List<int> a < b && c > d; <T> &notanentity; AT&T &#0;",
        ),
        ("<script>without an end", "<script>without an end"),
        ("1 < 2", "1 < 2"),
    ],
)
def test_html_left_overs(text, plain):
    assert strip_html(text) == plain


REPLY = "Yes, please cancel it."


@pytest.mark.parametrize(
    "quoted",
    [
        "\n\nOn Mon, 3 Mar 2025 at 10:11, Ann Lee <ann@example.org> wrote:\n> Shall I cancel?\n> Ann",
        "\n\nOn Mon, 3 Mar 2025 at 10:11, Ann Lee\n<ann@example.org> wrote:\n\n> Shall I cancel?",
        "\n\n-----Original Message-----\nFrom: Ann\nSubject: cancel?\n\nShall I?",
        "\n\nFrom: Ann Lee\nSent: Monday\nTo: Bob\nSubject: cancel?\n\nShall I?",
        "\n\nAm 03.03.2025 um 10:11 schrieb Ann Lee:\n> Soll ich?",
        "\n> Shall I cancel?\n",
    ],
)
def test_quoted_messages_go(quoted):
    assert drop_quotes(REPLY + quoted) == REPLY


@pytest.mark.parametrize(
    "text",
    ["> all of it\n> is quoted", "On Monday she wrote: a poem.", "if a > b:\n    pass", "He wrote:\nA poem."],
)
def test_what_is_no_quote_stays(text):
    assert drop_quotes(text) == text


def test_answers_between_quoted_lines_are_kept():
    assert drop_quotes("> Cancel?\nYes.\n> And refund?\nNo.") == "Yes.\nNo."


@pytest.mark.parametrize(
    "signature",
    [
        "\n-- \nAnn Lee\nLead, Example Ltd",
        "\n\nKind regards,\nAnn Lee\n+44 20 7946 0123",
        "\n\nMit freundlichen Grüßen\nAnn Lee",
        "\n\nSent from my iPhone",
    ],
)
def test_signatures_go(signature):
    assert drop_signature(REPLY + signature) == REPLY


@pytest.mark.parametrize(
    "text",
    [
        "Kind regards,\nAnn",
        "Thanks!\nCould you also send the invoice?",
        "Best regards to your team, and see you.",
        "-- \nAnn",
    ],
)
def test_what_is_no_signature_stays(text):
    assert drop_signature(text) == text


def test_blanks():
    assert collapse_blanks("\n a \u00a0\u2003b  \n\n\n\n    c\t\td \n") == " a b\n\n    c d"


def test_repairs_are_made_in_their_order():
    text = "FranÃ§ois &amp; I<br>agree\u200b  now\n\n-- \nF."
    assert clean(text, ["signature", "html", "encoding", "controls", "blanks"]) == "François & I\nagree now"
    assert clean(text, []) == text
    with pytest.raises(
        DataError, match=r"clean\.repairs: there is no repair 'spelling'\. The repairs are encoding, "
    ):
        clean(text, ["spelling"])


@given(st.text())
def test_repairs_never_fail_and_are_steady(text):
    for name in ("encoding", "controls", "blanks"):
        once = REPAIRS[name](text)
        assert REPAIRS[name](once) == once
    assert isinstance(clean(text, list(REPAIRS)), str)


@pytest.mark.parametrize(
    "piece", [" ", "\t\n", "<", "<a ", "<!--", "<head", "&#", "> ", "On a wrote ", "Ã", "-- \n", "\n"]
)
def test_hostile_text_comes_to_an_end(piece):
    text = piece * (400_000 // len(piece)) + "x"
    with ends():
        clean(text, list(REPAIRS))
