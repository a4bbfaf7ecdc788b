"""`tunewright data audit` of a data set on a hub on loopback, one of its splits held against another."""

import os
import subprocess
import sys
from pathlib import Path

from hub_server import Hub, serving


def table(*numbers: int) -> bytes:
    rows = (f"Where is the parcel number {n} of the blue lamp?,At door {n}.\n" for n in numbers)
    return f"question,answer\n{''.join(rows)}".encode()


def test_a_data_set_and_another_split_of_it(tmp_path: Path) -> None:
    with serving(Hub()) as hub:
        hub.push("owner/name", {"train.csv": table(*range(60)), "test.csv": table(*range(55, 75))})
        ask = ["data", "audit", "hub:owner/name", "--against", "hub:owner/name/test.csv", "--only", "leak"]
        done = subprocess.run(
            [sys.executable, "-c", "from tunewright.cli.main import main; main()", *ask],
            env={
                **os.environ,
                "HF_HOME": str(tmp_path / "home"),
                "HF_HUB_DISABLE_XET": "1",
                "HF_ENDPOINT": hub.url,
            },
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=False,
        )
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        "The input is question: its name says so. The answer is answer: its name says so.",
        "60 rows",
        "error leak: hub:owner/name/test.csv: of its 20 examples, 5 ask what training rows ask, and scores on them"
        " flatter the fine-tune. The first asks what hub:owner/name/train.csv:57 asks.",
        *(
            f"    hub:owner/name/test.csv:{at} in hub:owner/name/train.csv:{at + 55}  Where is the parcel number {at + 53}"
            " of the blue lamp?"
            for at in (2, 3, 4)
        ),
        "    Mend it: Drop such rows before training, or take them out of the file that is to test.",
        '      - {op: decontaminate, against: ["hub:owner/name/test.csv"], column: "question"}',
        "Found: 1 error.",
    ]
    assert done.returncode == 1
