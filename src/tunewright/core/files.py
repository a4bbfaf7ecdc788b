"""Writing files so that a cut leaves the old one or the new one, never half of one; reading logs back."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, BinaryIO


def write_atomic(path: Path, content: str | bytes) -> None:
    """Replace `path` with `content` in one move (temporary file beside it, fsync, rename). OSError names `path`."""
    data = content.encode("utf-8", "surrogatepass") if isinstance(content, str) else content
    with replacing(path) as stream:
        stream.write(data)


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A stream whose content takes the place of `path` in one move, when all of it is written.

    What is no file but a device or a pipe (/dev/null, say) is written to, and stays. Raises OSError that names `path`: of
    the temporary file beside it nobody has heard.
    """
    if path.exists() and not path.is_file() and not path.is_dir():
        with path.open("wb") as stream:
            yield stream
        return
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as stream:
            yield stream
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(temporary, path)
    except OSError as error:
        if error.errno is None or error.filename not in (None, str(temporary)):
            raise  # of something else that was read meanwhile
        raise OSError(error.errno, error.strerror, str(path)) from None
    finally:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)


def write_json(path: Path, value: object) -> None:
    """Write a value as indented JSON, atomically. Key order is kept: equal values give equal bytes."""
    write_atomic(path, json.dumps(value, ensure_ascii=False, indent=1) + "\n")


def read_json(path: Path) -> Any:
    """The value a JSON file holds."""
    return json.loads(path.read_text("utf-8"))


def read_jsonl(path: Path) -> Iterator[Any]:
    """The rows of a JSONL file that we wrote, one at a time. A torn last line (a cut-off append) is left out."""
    with path.open("rb") as stream:
        for line in stream:
            if line.endswith(b"\n"):
                yield json.loads(line)
