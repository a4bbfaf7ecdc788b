"""Hidden characters: written out, save those that a script or an emoji needs."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunewright.core.hidden import visible


@given(st.text())
def test_visible_text_can_be_written(text):
    assert "\x00" not in visible(text)
    assert visible(visible(text)) == visible(text)
    visible(text).encode("utf-8")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("a\x00b\u202ec\td\r\ne\ud800", "a⟨0000⟩b⟨202E⟩c\td\ne⟨D800⟩"),
        ("\x1b[2J\x1b]0;title\x07 \x9b31m", "⟨001B⟩[2J⟨001B⟩]0;title⟨0007⟩ ⟨009B⟩31m"),
        ("\u061c\u2060\u2063\ufeff\u180e\u00ad", "⟨061C⟩⟨2060⟩⟨2063⟩⟨FEFF⟩⟨180E⟩⟨00AD⟩"),
        ("yes\U000e0041\U000e007f", "yes⟨E0041⟩⟨E007F⟩"),
        ("one\u2028two\u2029", "one⟨2028⟩two⟨2029⟩"),
        ("pass\u200dword\u200c 1\u200d", "pass⟨200D⟩word⟨200C⟩ 1⟨200D⟩"),
        ("👩\u200d\u200d🚒 \u200d", "👩⟨200D⟩⟨200D⟩🚒 ⟨200D⟩"),
    ],
)
def test_what_is_hidden_is_written_out(text, shown):
    assert visible(text) == shown


@pytest.mark.parametrize(
    "text",
    [
        "می\u200cخواهم",  # Persian: I want
        "क्\u200dष",  # Hindi
        "👩🏽\u200d🚒 🏴\u200d☠️ ❤️\u200d🔥",
        "\u0601\u0664\u0662",  # an Arabic sign that is drawn under a number
        "café – 工单\xa0№ 5\n\tend",
    ],
)
def test_what_can_be_seen_or_is_needed_stays(text):
    assert visible(text) == text
