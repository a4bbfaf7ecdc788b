"""Near leaks, looked for once: what suites' own files share nearly with training rows stays known until either changes.

    known_near_leaks(store, split, suites, train, emit)      # suite → its problem

Every run of `check` asks; comparing takes up to minutes.
"""

from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict
from typing import Any

from tunewright.core.errors import UserError
from tunewright.core.events import Emit
from tunewright.core.example import Example
from tunewright.core.files import read_json, write_json
from tunewright.core.hashing import hash_value
from tunewright.evals.leaks import NEAR_VERSION, Leak, near_leaks
from tunewright.evals.suite import Suite
from tunewright.project.run import library_versions
from tunewright.store.artifact import Artifact, Derivation
from tunewright.store.store import Store

FOUND = "near_leaks.json"


def known_near_leaks(
    store: Store, split: Artifact, suites: Sequence[Suite], train: Sequence[Example], emit: Emit
) -> dict[str, Leak]:
    """What `near_leaks` says of the suites and a split's training rows: as it was found before, or found now and kept.

    It is told and not kept where another process holds the project.
    """
    derivation = Derivation(
        step="near-leaks",
        version=NEAR_VERSION,
        spec={"suites": {suite.name: _content(suite) for suite in suites}},
        inputs={"split": split.ref},
    )
    known = store.find(derivation)
    if known is not None:
        known.verify()
        return {name: _known(told) for name, told in read_json(known.file(FOUND)).items()}
    emit("check.leaks", suites=[suite.name for suite in suites], rows=len(train))
    found = near_leaks(suites, train)
    with ExitStack() as held:
        try:
            if not store.is_held:  # by the run that writes its report
                held.enter_context(store.lock())
        except UserError:
            return found  # somebody began a run meanwhile
        if store.find(derivation) is None:  # who looked beside us may have been quicker
            out = store.work(derivation) / "out"
            out.mkdir(exist_ok=True)
            write_json(out / FOUND, {name: asdict(leak) for name, leak in found.items()})
            store.publish(derivation, out, library_versions())
    return found


def _content(suite: Suite) -> str:
    """What is compared of a suite, and how its examples are named."""
    return hash_value([[example.id, example.place] for example in suite.examples])


def _known(told: dict[str, Any]) -> Leak:
    pairs = tuple((example, row, text) for example, row, text in told.pop("pairs"))
    return Leak(**{**told, "examples": tuple(told["examples"]), "pairs": pairs})
