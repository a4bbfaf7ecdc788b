"""docs/audit.md lists every kind of finding as it is."""

from pathlib import Path

from tunewright.data.audit.kinds import KINDS

PAGE = Path(__file__).parents[2] / "docs" / "audit.md"


def test_every_kind_is_listed():
    rows = [
        line.strip("| ").split(" | ")
        for line in PAGE.read_text("utf-8").splitlines()
        if line.startswith("| `")
    ]
    listed = {row[0].strip("`"): tuple(row[1:]) for row in rows if not row[0].startswith("`--")}
    assert listed == {kind: (known.severity, known.title) for kind, known in KINDS.items()}
