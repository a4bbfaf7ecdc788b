"""docs/audit.md lists every kind of finding as it is, and says of each threshold where it comes from."""

from pathlib import Path

from tunewright.data.audit import answers, labels, lengths, pairs, rows, unlike
from tunewright.data.audit.kinds import KINDS
from tunewright.data.excerpt import SURE
from tunewright.data.labels import RARE

PAGE = (Path(__file__).parents[2] / "docs" / "audit.md").read_text("utf-8")


def table(title: str) -> list[list[str]]:
    """The rows of the table below a title."""
    section = PAGE.partition(f"## {title}\n")[2].partition("\n## ")[0]
    return [line.strip("| ").split(" | ") for line in section.splitlines() if line.startswith("| `")]


def test_every_kind_is_listed():
    listed = {row[0].strip("`"): tuple(row[1:]) for row in table("What it finds")}
    assert listed == {kind: (known.severity, known.title) for kind, known in KINDS.items()}


def test_each_threshold_is_as_it_is_said_and_has_a_source():
    told = {
        name.strip("` "): row[1:]
        for row in table("Where the thresholds come from")
        for name in row[0].split(",")
    }
    assert told.keys() <= KINDS.keys()
    assert all(why for _, why in told.values())
    for kind, number in {
        "few_rows": rows.ENOUGH["sft"],
        "few_test_rows": rows.FEWEST_TEST,
        "refusal": round(100 * answers.MANY_REFUSALS),
        "constant_answer": round(100 * answers.CONSTANT),
        "imbalance": round(100 * labels.MOSTLY),
        "rare_label": RARE,
        "personal_data": SURE,
        "longer_chosen": round(100 * pairs._LONGER),
    }.items():
        assert f" {number} " in f" {told[kind][0]} ", kind
    assert (lengths._FAR, lengths._TIMES, unlike._FAR) == (6, 4, 4)
