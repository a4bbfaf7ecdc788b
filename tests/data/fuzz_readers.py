"""Every reader on files that were made at random, and on the same with their bytes changed.

    python tests/data/fuzz_readers.py --count 100000 [--seed 1] [--only csv pdf] [--folder /dev/shm]

Each file must be read, or refused in one sentence; never a crash, never a hang; and where the number of rows is known by
the way it was made, rows in are examples, rejects and what is passed over. `test_fuzz_readers.py` does a few of each. A
failure is told with the reader and the seed of its file: `--only csv --seed 123 --count 1`.
"""

import argparse
import faulthandler
import shutil
import sys
import tempfile
import time
import traceback
from collections import Counter
from pathlib import Path
from random import Random
from typing import NamedTuple

sys.path[:0] = [str(Path(__file__).parent), str(Path(__file__).parents[1])]

from fuzz_files import READERS, Made, damaged, generated  # noqa: E402

from ends import ends  # noqa: E402
from tunewright.core.errors import DataError  # noqa: E402
from tunewright.core.task import TaskSpec  # noqa: E402
from tunewright.data.ingest import ingest  # noqa: E402
from tunewright.data.spec import SourceSpec  # noqa: E402

SECONDS = 30
"""Of processor time, after which reading a file of a few kilobytes hangs."""
LONGEST = 3_000
"""Characters of a message."""


class Failure(NamedTuple):
    """A file that was not read as it should be."""

    reader: str
    seed: int
    what: str


def made(reader: str, seed: int) -> Made:
    """The file of a seed: every third one as it was made, the others changed."""
    draw = Random(f"{reader} {seed}")
    good = generated(draw, reader)
    return good if seed % 3 == 0 else damaged(draw, good)


def tried(reader: str, seed: int, root: Path) -> str | None:
    """What is wrong with reading the file of a seed; None where nothing is."""
    file = made(reader, seed)
    (root / file.name).write_bytes(file.data)
    source = {"path": file.name, **file.source} if "sql" not in file.source else file.source
    try:
        with ends(SECONDS):
            summary = ingest({"s": SourceSpec(**source)}, TaskSpec(), root, root / "out", reject_budget=1.0)
    except DataError as refused:
        sentences = str(refused).split("\n")
        odd = next((said for said in sentences if not _is_sentence(said)), None)
        if odd is not None:
            return f"a message that is no sentence: {odd[:200]!r}"
        return _refused(file, str(refused), root)
    except BaseException:  # noqa: BLE001  # whatever it is, it is a finding
        return traceback.format_exc()
    if summary.rows != summary.examples + summary.rejects + summary.passed_over:
        return f"{summary.rows} rows are not {summary.examples} examples and {summary.rejects} rejects"
    if file.rows is not None and summary.rows != file.rows:
        return f"{summary.rows} rows of {file.rows}"
    return None


def _is_sentence(said: str) -> bool:
    """Whether a message can be shown and says something; `None` stands where a reason was expected."""
    return said.isprintable() and len(said) <= LONGEST and ": None" not in said and "()" not in said


def _refused(file: Made, said: str, root: Path) -> str | None:
    """What is wrong with refusing a file: one that was made as it should be must be read, whatever its rows are."""
    if file.rows is None or "there is no column" in said:
        return None
    if "no example is left" not in said and "nothing can be learnt from any" not in said:
        return f"a good file is refused: {said}"
    rejects = (root / "out" / "rejects.jsonl").read_bytes().count(b"\n")
    return None if rejects == file.rows else f"{rejects} rejects and no examples of {file.rows} rows"


def main() -> int:
    """Try so many files, shared out to the readers; 1 where one failed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--count", type=int, default=1000, help="files in all")
    parser.add_argument("--seed", type=int, default=0, help="the first file's")
    parser.add_argument("--only", nargs="+", choices=sorted(READERS), default=sorted(READERS), help="readers")
    parser.add_argument("--folder", default=None, help="where files are written (/dev/shm is quick)")
    chosen = parser.parse_args()
    faulthandler.enable()
    ran: Counter[str] = Counter()
    failures: list[Failure] = []
    begin = time.monotonic()
    with tempfile.TemporaryDirectory(dir=chosen.folder) as folder:
        for number in range(chosen.count):
            reader = chosen.only[number % len(chosen.only)]
            seed = chosen.seed + number // len(chosen.only)
            (Path(folder) / "now").write_text(f"{reader} {seed}")
            if what := tried(reader, seed, Path(folder)):
                failures.append(Failure(reader, seed, what))
                print(f"{reader} --seed {seed}: {what}", flush=True)
            ran[reader] += 1
            if number % 1000 == 999:
                shutil.rmtree(Path(folder) / "out", ignore_errors=True)
                print(
                    f"{number + 1:,} files, {len(failures)} failures, {time.monotonic() - begin:.0f} s",
                    flush=True,
                )
    print(", ".join(f"{reader} {count:,}" for reader, count in ran.items()))
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
