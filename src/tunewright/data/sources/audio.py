"""Recorded speech (WAV, MP3, FLAC, M4A, OGG), recognised by a Whisper model: {text, speaker, start, end, document}.

The model is `speech.model`: a folder or a hub id in CTranslate2's format, which faster-whisper runs on the machine itself.
It is taken over transformers' own because it is three times as fast on a CPU, knows where nobody speaks, and does not bring
torch into reading data. Nobody is told apart: the file is one row, its text in the lines that the model parts it into, times
in seconds. The same file and model give the same text on the same kind of machine: nothing is drawn at random, but a GPU
sums in other numbers than a CPU.
"""

import tempfile
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

from tunewright.core.hashing import hash_file, hash_value
from tunewright.data.names import listed, shown
from tunewright.data.rows import BadFile, Table
from tunewright.data.source_spec import SpeechSpec
from tunewright.data.sources._apart import Apart, Lost
from tunewright.data.sources._documents import check_size
from tunewright.data.sources._pcm import RATE
from tunewright.data.sources._turns import Cue, turn_table

MOST_BYTES = 2**31
"""The most bytes of a file."""
HOURS = 12
"""The most hours of a file."""
SECONDS = 600
"""The most seconds of processor time that decoding may take."""
_FILES = ("model.bin", "config.json", "tokenizer.json")
"""What a model's folder has to hold."""
_OF_MODEL = (".bin", ".json", ".txt")
"""Endings of files that a model's text hangs on (older ones have vocabulary.txt)."""
_CONVERT = (
    "ct2-transformers-converter --model … --output_dir … --copy_files tokenizer.json preprocessor_config.json"
)
_DECODER = Apart("tunewright.data.sources._pcm")


def read(path: Path, encoding: str, speech: SpeechSpec | None, root: Path) -> Table:
    """Recognise what is said in a file; a model's folder is looked for below `root`. Raises BadFile, OSError."""
    if speech is None:
        raise BadFile(
            "the file is recorded speech, and the source does not say which model recognises it.",
            fix="Set speech: {model: small}, or a folder.",
        )
    check_size(path, MOST_BYTES)
    with path.open("rb"):
        pass  # what the system refuses is told as that
    model = _model(str(model_folder(speech, root)))
    samples = _samples(path)
    return turn_table(path, _cues(model, samples, speech))


def model_folder(speech: SpeechSpec, root: Path) -> Path:
    """The folder of a model, fetched from the hub where it is none here. Raises BadFile."""
    _check_installed()
    folder = root / Path(speech.model).expanduser()
    if not folder.is_dir():
        folder = _from_hub(speech.model)
    missing = [name for name in _FILES if not (folder / name).is_file()]
    if missing:
        if (folder / "model.safetensors").is_file():
            raise BadFile(
                f"the speech model {shown(speech.model)} is in transformers' format, and not CTranslate2's.",
                fix=f"Convert it: {_CONVERT}",
            )
        raise BadFile(
            f"the folder of the speech model {shown(speech.model)} lacks {listed(missing)}.",
            fix=f"Convert the model anew: {_CONVERT}",
        )
    return folder


def model_hash(speech: SpeechSpec, root: Path) -> str:
    """The content hash of a model. Raises BadFile, OSError."""
    files = sorted(path for path in model_folder(speech, root).iterdir() if path.suffix in _OF_MODEL)
    return hash_value([[path.name, _hash(path, path.stat().st_mtime_ns)] for path in files])


@lru_cache(maxsize=64)
def _hash(path: Path, changed: int) -> str:
    """A file's hash, worked out once while it stays: a model has gigabytes."""
    return hash_file(path)


def _check_installed() -> None:
    try:
        import av  # noqa: F401
        import faster_whisper  # noqa: F401
    except ImportError:
        raise BadFile(
            "recognising speech needs a package that is not installed.",
            fix="pip install 'tunewright[speech]'",
        ) from None


def _from_hub(name: str) -> Path:
    from faster_whisper.utils import available_models, download_model

    try:
        try:
            return Path(download_model(name, local_files_only=True))
        except FileNotFoundError:
            return Path(download_model(name))
    except ValueError:
        raise BadFile(
            f"there is no folder and no speech model called {shown(name)}.",
            fix=f"Name a folder, a hub id, or one of {', '.join(available_models())}.",
        ) from None
    except Exception as error:  # noqa: BLE001  # the client has many ways to say: no network
        raise BadFile(
            f"the speech model {shown(name)} is no folder here, and the hub could not be reached for it"
            f" ({type(error).__name__}).",
            fix="Go online once, or name a folder.",
        ) from None


@lru_cache(maxsize=1)
def _model(folder: str) -> Any:
    from faster_whisper import WhisperModel

    try:
        return WhisperModel(folder, device="auto", compute_type="auto", local_files_only=True)
    except (RuntimeError, ValueError, OSError) as error:
        said = " ".join(str(error).split())[:150].rstrip(".")
        raise BadFile(f"the speech model in {folder} cannot be loaded ({said}).") from None


def _samples(path: Path) -> Any:
    """The file's sound as numbers from -1 to 1, RATE a second. (samples,)"""
    import numpy as np

    with tempfile.TemporaryDirectory(prefix="tunewright-") as folder:
        target = Path(folder) / "samples"
        request = {"open": str(path.absolute()), "to": str(target), "most": HOURS * 3600 * RATE}
        try:
            answer = _DECODER.ask(request, seconds=SECONDS)
        except Lost as why:
            raise BadFile(f"the sound cannot be decoded: it {why}.", fix="Save it anew as WAV.") from None
        if "refused" in answer:
            raise BadFile(
                f"the sound cannot be decoded ({answer['refused'].rstrip('.')}).",
                fix="Save it anew as WAV, or split it.",
            )
        return np.fromfile(target, np.int16).astype(np.float32) / 32768.0


def _cues(model: Any, samples: Any, speech: SpeechSpec) -> Iterator[Cue]:
    """What is said, piece by piece."""
    length = len(samples) / RATE  # a model counts on to the end of its last half minute
    if length < 0.1:
        return
    try:
        pieces, _ = model.transcribe(
            samples,
            language=speech.language,
            temperature=0.0,  # the library's own draws anew where it is in doubt
            vad_filter=speech.skip_silence,
        )
        for number, piece in enumerate(pieces, 1):
            start, end = (round(min(at, length), 3) for at in (piece.start, piece.end))
            yield Cue(number, start, end, None, piece.text.strip())
    except (RuntimeError, ValueError) as error:
        said = " ".join(str(error).split())[:150].rstrip(".")
        raise BadFile(f"the speech model cannot recognise it ({said}).") from None
