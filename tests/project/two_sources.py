"""A project whose recipe works one of two sources before it joins them: 60 and 40 rows of support, some of them the same."""

from pathlib import Path

PROJECT = """\
name: two
task: {system: Say the kind.}
sources:
  own: {path: own.csv, columns: {input: text, expected: kind}}
  other: {path: other.csv, columns: {input: text, expected: kind}}
data: {reject_budget: 0.1}
recipe:
  - {op: filter, id: english, needs: [own], keep: 'lang == "en"'}
  - {op: map, id: polite, needs: [english], set: {input: "Please: {{ input }}"}}
  - {op: drop_duplicates, needs: [polite, other]}
"""


def write_two_sources(folder: Path, project: str = PROJECT) -> Path:
    """The project's file and its rows, the last of which asks nothing; the folder."""
    own = [f"Where is parcel {n % 50}?,delivery,{'en' if n % 5 else 'de'}" for n in range(60)]
    other = [f"Refund bill {n},billing,en" for n in range(40)]
    (folder / "own.csv").write_text("\n".join(["text,kind,lang", *own, ",delivery,en"]) + "\n")
    (folder / "other.csv").write_text("\n".join(["text,kind,lang", *other]) + "\n")
    (folder / "tunewright.yaml").write_text(project)
    return folder
