"""The audit as a page of its own: one HTML file that loads nothing and runs no script.

html = audit_page("tickets.csv", audit.model_dump(mode="json"))
"""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

from tunewright.data.audit.seen import ALL
from tunewright.report.audit import DataView, Group, audit_parts, audit_view
from tunewright.report.frame import drawn

_NOTHING = DataView([], [], [], [])


def audit_page(name: str, audit: Mapping[str, Any]) -> str:
    """The page of a data set's audit, as JSON values. Equal values give an equal page."""
    from tunewright import __version__

    found = audit_view(audit)
    rows = {part: f"{number:,}" for part, number in (audit.get("rows") or {}).items()}
    view = {
        **audit_parts(found, _NOTHING, audited=True),
        **_headline(found.groups),
        "counted": ", ".join(number if part == ALL else f"{part} {number}" for part, number in rows.items())
        + " rows",
    }
    return drawn(
        "audit.html.jinja",
        name=name,
        version=__version__,
        view=SimpleNamespace(**view),
        verdict=SimpleNamespace(candidate=None),
    )


def _headline(groups: list[Group]) -> dict[str, str]:
    """The title of the page, its colour, and a sentence."""
    counts = {group.severity: group for group in groups}
    told = ", ".join(group.heading for group in groups)
    if "error" in counts:
        words = f"{told}. What must be mended comes first, each with what mends it."
        return {"title": "Mend this first", "tone": "bad", "words": words}
    if "warning" in counts:
        words = f"{told}. Nothing stands in the way of training."
        return {"title": "Worth a look", "tone": "unsure", "words": words}
    words = f"{told}." if told else "Nothing odd was found."
    return {"title": "The data is in order", "tone": "good", "words": words}
