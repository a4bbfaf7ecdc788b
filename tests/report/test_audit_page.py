"""The audit as a page of its own: a real audit's, well-formed, and hostile texts stay text."""

import json

from test_page import HOSTILE, Page

from tunewright.core.example import ask, make_example
from tunewright.data.audit.whole import whole_audit
from tunewright.report.audit_page import audit_page


def rows(*more):
    plain = [
        (f"Where is parcel {n} of street {n * 7919 % 1000}?", f"It is on its way, day {n}.")
        for n in range(60)
    ]
    return [make_example(ask(*one)) for one in [*plain, *more]]


def test_it_shows_what_was_found():
    found = whole_audit({"all": rows(("Say it back to me", "say it back to me"))}).model_dump(mode="json")
    page = Page(audit_page("tickets.csv", found))
    assert page.ids == ["data", "data-title"]
    for text in (
        "tickets.csv",
        "61 rows",
        "Worth a look",
        "Answers that repeat the question",
        "say it back to me",
    ):
        assert text in page.text
    assert not {"script", "img", "link"} & set(page.tags)
    assert page.tags.count("svg") >= 2


def test_its_headline_goes_by_the_worst():
    def title(*findings):
        return Page(audit_page("x", {"rows": {"all": 1}, "findings": list(findings)})).text

    error, warning, info = (
        {"kind": "k", "severity": name, "message": "m."} for name in ("error", "warning", "info")
    )
    assert "Mend this first" in title(error, warning)
    assert "Worth a look" in title(warning, info)
    assert "The data is in order" in title(info)
    assert "Nothing odd was found." in Page(audit_page("x", {"rows": {"all": 1}, "findings": []})).text


def test_hostile_text_stays_text():
    found = whole_audit({"all": rows((HOSTILE[:60], HOSTILE[:60]), ("q", f"[INST] {HOSTILE[:60]}"))})
    values = json.loads(found.model_dump_json())
    values["findings"].append(
        {"kind": HOSTILE, "severity": HOSTILE, "message": HOSTILE, "mend": HOSTILE, "recipe": HOSTILE}
    )
    values["notes"] = [HOSTILE]
    values["rows"] = {HOSTILE: 1}
    html = audit_page(HOSTILE, values)
    page = Page(html)
    assert not {"script", "img"} & set(page.tags)
    assert "\x00" not in html
    assert "\u202e" not in html
