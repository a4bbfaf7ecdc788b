"""Fuzzing by coverage: atheris changes a reader's file in the ways that reach new lines of the reader.

    pip install atheris; python tests/data/fuzz_guided.py parquet -max_total_time=600 [corpus/]

What follows the reader's name goes to libFuzzer. A crash is told with its traceback, and its file is kept.
"""

import sys
import tempfile
from contextlib import closing
from pathlib import Path
from random import Random

import atheris

sys.path[:0] = [str(Path(__file__).parent)]

with atheris.instrument_imports(include=["tunewright", "zipfile", "email", "xml"]):
    from fuzz_files import READERS, generated

    from tunewright.data.rows import BadFile
    from tunewright.data.sources import open_file
    from tunewright.data.spec import SourceSpec

SEEDS = 20
"""Good files that it begins with."""


def main() -> None:
    """Fuzz the reader that the first argument names."""
    reader, *given = sys.argv[1:] or [""]
    if reader not in READERS:
        sys.exit(f"usage: fuzz_guided.py {'|'.join(READERS)} [libFuzzer's options]")
    good = generated(Random(0), reader)
    folder = Path(tempfile.mkdtemp(prefix="fuzz-", dir="/dev/shm" if Path("/dev/shm").is_dir() else None))
    corpus = folder / "corpus"
    corpus.mkdir()
    for seed in range(SEEDS):
        (corpus / str(seed)).write_bytes(generated(Random(seed), reader).data)
    source = good.source if "sql" in good.source else {"path": good.name, **good.source}
    spec = SourceSpec(**source)
    place = folder / good.name

    def once(data: bytes) -> None:
        place.write_bytes(data)
        try:
            with closing(open_file(folder if spec.sql else place, spec).table.rows) as rows:
                for _ in rows:
                    pass
        except BadFile as refused:
            if not refused.message.isprintable():
                raise ValueError(refused.message) from None

    atheris.Setup([sys.argv[0], *given, str(corpus)], once)
    atheris.Fuzz()


if __name__ == "__main__":
    main()
