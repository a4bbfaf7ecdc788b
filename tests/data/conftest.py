import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from tunewright.core.events import silent
from tunewright.core.example import Example, ask, make_example
from tunewright.core.task import TaskSpec
from tunewright.data.examples import read_examples
from tunewright.data.ingest import IngestSummary, ingest
from tunewright.data.spec import SourceSpec


class Ingested(NamedTuple):
    summary: IngestSummary
    examples: list[Example]
    rejects: list[dict[str, Any]]

    @property
    def reasons(self) -> list[tuple[int, str]]:
        return [(reject["row"], reject["reason"]) for reject in self.rejects]


class Desk:
    """A folder with files, and the way to ingest them with every reject allowed."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def write(self, name: str, content: str | bytes) -> Path:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    def ingest(self, path: str, task: TaskSpec | None = None, budget: float = 1.0, **source: Any) -> Ingested:
        spec = SourceSpec(path=path, **source)
        out = self.root / "out"
        summary = ingest({"s": spec}, task or TaskSpec(), self.root, out, reject_budget=budget, emit=silent)
        rejects = [json.loads(line) for line in (out / "rejects.jsonl").read_bytes().splitlines()]
        assert summary == IngestSummary.model_validate_json((out / "summary.json").read_bytes())
        return Ingested(summary, read_examples(out / "examples.jsonl"), rejects)


@pytest.fixture
def desk(tmp_path: Path) -> Desk:
    return Desk(tmp_path)


def row(question: str, answer: str, **fields: Any) -> Example:
    return make_example(ask(question, answer), fields=fields)
