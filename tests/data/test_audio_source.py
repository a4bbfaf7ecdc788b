"""Recorded speech as rows, by a real model of no sense: what it says is noise, where and when it says it is not."""

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tiny_whisper

from tunewright.core.errors import DataError
from tunewright.data.files import contents
from tunewright.data.rows import BadFile
from tunewright.data.sources import audio, open_file
from tunewright.data.sources._apart import Apart
from tunewright.data.spec import SourceSpec

pytest.importorskip("faster_whisper")


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tiny_whisper.model(tmp_path_factory.mktemp("whisper"))


def speech(model: Path, **more: Any) -> dict[str, Any]:
    return {"speech": {"model": str(model), "language": "en", **more}}


def rows(root: Path, path: str, **source: Any) -> list[Any]:
    return list(open_file(root / path, SourceSpec(path=path, **source), root).table.rows)


def refusal(root: Path, path: str, **source: Any) -> str:
    with pytest.raises(BadFile) as caught:
        rows(root, path, **source)
    return f"{caught.value.message} {caught.value.fix or ''}".strip()


@pytest.mark.parametrize("ending", ["wav", "mp3", "flac", "m4a", "ogg"])
def test_a_file_of_speech_is_one_row(tmp_path: Path, model: Path, ending: str) -> None:
    name = f"t.{ending}"
    tiny_whisper.write(tmp_path / name, tiny_whisper.tones(3))
    (row,) = rows(tmp_path, name, **speech(model, skip_silence=False))
    assert row.number == 1
    assert row.values["text"].strip()
    assert (row.values["speaker"], row.values["document"]) == (None, name)
    assert 0 <= row.values["start"] <= row.values["end"] <= 3.2
    assert rows(tmp_path, name, **speech(model, skip_silence=False)) == [row]


@pytest.mark.parametrize("rate", [8_000, 16_000, 44_100])
def test_other_rates_last_as_long(tmp_path: Path, rate: int) -> None:
    tiny_whisper.write(tmp_path / "t.wav", tiny_whisper.tones(2, rate), rate)
    samples = audio._samples(tmp_path / "t.wav")
    assert samples.dtype == np.float32
    assert abs(len(samples) - 32_000) < 200
    assert 0.2 < np.abs(samples).max() < 0.3


def test_it_is_a_document_of_a_project(desk, model: Path) -> None:
    tiny_whisper.write(desk.root / "t.wav", tiny_whisper.tones(3))
    (example,) = desk.ingest("t.wav", **speech(model, skip_silence=False)).examples
    assert example.is_document
    assert (example.place, example.fields["document"]) == ("t.wav:1", "t.wav")


def test_where_nobody_speaks_there_is_no_row(tmp_path: Path, model: Path) -> None:
    tiny_whisper.write(tmp_path / "t.wav", np.zeros(32_000, np.int16))
    assert rows(tmp_path, "t.wav", **speech(model)) == []
    tiny_whisper.write(tmp_path / "t.wav", np.zeros(10, np.int16))
    assert rows(tmp_path, "t.wav", **speech(model, skip_silence=False)) == []


def test_files_that_are_no_sound(tmp_path: Path, model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "t.mp3").write_bytes(b"no sound at all" * 99)
    assert refusal(tmp_path, "t.mp3", **speech(model)).startswith("the sound cannot be decoded (")
    (tmp_path / "t.m4a").write_bytes(b"\0" * 99)
    assert refusal(tmp_path, "t.m4a", **speech(model)).startswith("the sound cannot be decoded (")
    tiny_whisper.write(tmp_path / "t.flac", tiny_whisper.tones(4))
    monkeypatch.setattr(audio, "HOURS", 1 / 3600)
    assert refusal(tmp_path, "t.flac", **speech(model)).startswith(
        "the sound cannot be decoded (it is longer than "
    )
    (tmp_path / "ends_at_once.py").write_text("import sys\nsys.stdin.readline()\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(audio, "_DECODER", Apart("ends_at_once"))
    assert refusal(tmp_path, "t.flac", **speech(model)) == (
        "the sound cannot be decoded: it breaks the reader down. Save it anew as WAV."
    )


def test_a_file_that_breaks_off_is_read_so_far(tmp_path: Path) -> None:
    tiny_whisper.write(tmp_path / "t.flac", tiny_whisper.tones(4))
    data = (tmp_path / "t.flac").read_bytes()
    (tmp_path / "t.flac").write_bytes(data[: len(data) // 2])
    assert 0.5 < len(audio._samples(tmp_path / "t.flac")) / 16_000 < 3.5


def test_models_that_cannot_be_used(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tiny_whisper.write(tmp_path / "t.wav", tiny_whisper.tones(1))
    assert refusal(tmp_path, "t.wav") == (
        "the file is recorded speech, and the source does not say which model recognises it."
        " Set speech: {model: small}, or a folder."
    )
    tiny_whisper.model(tmp_path, converted=False)
    assert refusal(tmp_path, "t.wav", speech={"model": "transformers"}).startswith(
        "the speech model transformers is in transformers' format, and not CTranslate2's. Convert it: ct2-"
    )
    (tmp_path / "empty").mkdir()
    assert refusal(tmp_path, "t.wav", speech={"model": "empty"}).startswith(
        "the folder of the speech model empty lacks model.bin, config.json, tokenizer.json. "
    )
    (tmp_path / "broken").mkdir()
    for name in ("model.bin", "config.json", "tokenizer.json"):
        (tmp_path / "broken" / name).write_text("{}")
    assert refusal(tmp_path, "t.wav", speech={"model": "broken"}).startswith("the speech model in ")
    assert refusal(tmp_path, "t.wav", speech={"model": "smal"}).startswith(
        "there is no folder and no speech model called smal. Name a folder, a hub id, or one of tiny"
    )
    monkeypatch.setitem(sys.modules, "faster_whisper", None)
    assert refusal(tmp_path, "t.wav", speech={"model": "small"}) == (
        "recognising speech needs a package that is not installed. pip install 'tunewright[speech]'"
    )


def test_a_source_of_speech_is_known_by_its_files_and_its_model(tmp_path: Path, model: Path) -> None:
    tiny_whisper.write(tmp_path / "t.wav", tiny_whisper.tones(1))
    spec = SourceSpec(path="t.wav", **speech(model))
    before = contents(spec, tmp_path)
    assert list(before) == ["t.wav", f"speech model {model}"]
    (model / "config.json").write_text((model / "config.json").read_text() + " ")
    after = contents(spec, tmp_path)
    assert {name for name in before if before[name] != after[name]} == {f"speech model {model}"}


def test_a_language_that_is_none(desk, model: Path) -> None:
    tiny_whisper.write(desk.root / "t.wav", tiny_whisper.tones(1))
    with pytest.raises(DataError):
        desk.ingest("t.wav", speech={"model": str(model), "language": "zzz"})
