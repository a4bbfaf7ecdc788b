"""The road of the data rooms on a public set: banking77, 10,003 questions with 77 labels."""

from pathlib import Path

import pytest

from tunewright.core.task import TaskSpec
from tunewright.data.audit.audit import audit
from tunewright.data.examples import read_examples
from tunewright.data.ingest import ingest
from tunewright.data.spec import SourceSpec, SplitSpec
from tunewright.data.split import split

DATA = Path(__file__).parents[2].parent / "shared/data"


@pytest.mark.realdata
@pytest.mark.skipif(not DATA.is_dir(), reason="the public data sets are not beside the checkout")
def test_banking77(tmp_path):
    source = SourceSpec(path="banking77/train.csv", columns={"input": "text", "expected": "category"})
    summary = ingest({"banking": source}, TaskSpec(), DATA, tmp_path, reject_budget=0)
    assert (summary.rows, summary.examples, summary.rejects) == (10003, 10003, 0)
    parts = split(read_examples(tmp_path / "examples.jsonl"), SplitSpec())
    assert [len(part) for part in parts] == [8003, 1000, 1000]
    found = audit(parts._asdict())
    assert found.leaks == ()
    assert [len(table.rows) for table in found.labels] == [77]
    assert [(finding.kind, finding.part, finding.count) for finding in found.findings] == [
        ("duplicate", "train", 4)
    ]
