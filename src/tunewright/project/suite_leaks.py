"""What suites' own files share with a split's rows: for `check`, which warns of it, and as findings of the audit.

found = suite_leaks(file, root, store, split, emit)
findings = leak_findings(found)
"""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import NamedTuple

from tunewright.core.errors import Problem
from tunewright.core.events import Emit
from tunewright.data.audit.audit import TRAIN, Severity
from tunewright.data.audit.seen import Hits, Oddity, Shown
from tunewright.data.audit.whole import AuditFinding, finding_of
from tunewright.data.freeze import load_part
from tunewright.evals.leaks import MOST_EXAMPLES, MOST_ROWS, Leak, leaks
from tunewright.evals.suites import build_suite
from tunewright.project.file import GENERAL, ProjectFile
from tunewright.project.near_leaks import known_near_leaks
from tunewright.store.artifact import Artifact
from tunewright.store.store import Store

KINDS = ("leak", "near_leak")
"""The kinds of findings."""
_OF_SUITES = "{op: decontaminate, against: [suites]}"
_MEND = "Drop such rows before training, or take them out of the file that is to test."


class Leaks(NamedTuple):
    """Suite → what its examples share with rows."""

    train: dict[str, Leak]
    """Of those that training rows ask too."""
    dev: dict[str, Leak]
    """Of those that dev rows ask."""
    near: dict[str, Leak]
    """Of those that training rows nearly hold."""
    notes: tuple[str, ...] = ()
    """What was not looked at."""

    @property
    def problems(self) -> list[Problem]:
        """All of them, as they are told by `check`."""
        return [*self.train.values(), *self.dev.values(), *self.near.values()]


def suite_leaks(
    file: ProjectFile,
    root: Path,
    store: Store,
    split: Artifact,
    emit: Emit,
    kinds: Collection[str] = KINDS,
) -> Leaks:
    """What suites' own files share with the rows, as far as `kinds` asks. The test part has nothing, nor the built-in suite.

    Raises UserError where a suite cannot be made.
    """
    own = {name: spec for name, spec in file.suites.items() if spec.examples not in ("test", GENERAL)}
    suites = [build_suite(name, spec, [], file.task, root) for name, spec in own.items()]
    if not suites:
        return Leaks({}, {}, {})
    train, dev = (load_part(split.path, part) for part in ("train", "dev"))
    same = (leaks(suites, train), leaks(suites, dev, "dev")) if "leak" in kinds else ({}, {})
    if "near_leak" not in kinds:
        return Leaks(*same, {})
    near = known_near_leaks(store, split, suites, train, emit)
    note = near_note({f"suites.{suite.name}": len(suite.examples) for suite in suites}, len(train))
    return Leaks(*same, near, (note,) if note else ())


def near_note(examples: Mapping[str, int], rows: int) -> str | None:
    """How much is looked for nearly of suites and files with so many examples, in how many rows; None where it is all."""
    cut = {name: of for name, of in examples.items() if of > MOST_EXAMPLES or rows > MOST_ROWS}
    if not cut:
        return None
    (first, size), *others = cut.items()
    counted = "".join(f", of {name} {_looked(of)}" for name, of in others) + ("," if others else "")
    return (
        f"what {first} asks was looked for word for word in all rows; nearly, {_looked(size)} examples{counted} in"
        f" {min(rows, MOST_ROWS):,} of {rows:,} rows, evenly drawn"
    )


def _looked(examples: int) -> str:
    return f"{min(examples, MOST_EXAMPLES):,} of its {examples:,}"


def leak_findings(found: Leaks) -> list[AuditFinding]:
    """A finding for each suite and part."""
    return [
        *(leak_finding(f"suites.{name}", leak, TRAIN) for name, leak in found.train.items()),
        *(
            leak_finding(f"suites.{name}", leak, "dev", severity="warning")
            for name, leak in found.dev.items()
        ),
        *(leak_finding(f"suites.{name}", leak, TRAIN, "near_leak") for name, leak in found.near.items()),
    ]


def leak_finding(
    what: str,
    leak: Leak,
    part: str | None,
    kind: str = "leak",
    *,
    severity: Severity | None = None,
    recipe: str = _OF_SUITES,
) -> AuditFinding:
    """One of them as a finding: `what` names the suite or file, `recipe` is what drops such rows."""
    hits = Hits()
    hits.count = leak.count
    hits.shown = [Shown(id="", place=f"{own} in {row}", excerpt=text) for own, row, text in leak.pairs]
    oddity = Oddity(kind, hits, f"{what}: {leak.message.rstrip('.')}.", severity, recipe)
    return finding_of(oddity, part).model_copy(update={"mend": _MEND})
