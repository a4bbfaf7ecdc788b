"""Finding a base: by folder, by name, and every way in which it may not be one."""

import json
from pathlib import Path

import pytest

from tunewright.core.errors import ModelError
from tunewright.models.base import Base, folder_at_hand, resolve_base


def make_folder(root: Path, *names: str) -> Path:
    folder = root / "base"
    folder.mkdir()
    for name in names:
        (folder / name).write_text("{}")
    return folder


def test_a_folder_below_the_root(tmp_path):
    folder = make_folder(tmp_path, "config.json", "model.safetensors")
    base = resolve_base("base", tmp_path)
    assert (base.ref, base.path) == ("base", folder)
    assert resolve_base(str(folder), Path("/")).hash == base.hash


def test_the_hash_follows_the_content(tmp_path):
    folder = make_folder(tmp_path, "config.json", "model.safetensors")
    before = resolve_base("base", tmp_path).hash
    (folder / "model.safetensors").write_text("other")
    assert resolve_base("base", tmp_path).hash != before
    (folder / "README.md").write_text("a card is no part of the model")
    (folder / "model.safetensors").write_text("{}")
    assert resolve_base("base", tmp_path).hash == before


@pytest.mark.parametrize(
    ("ref", "files", "words"),
    [
        ("./nowhere", (), "does not exist"),
        ("a/b/c", (), "does not exist"),
        ("", (), "has no name"),
        ("base", (), "no config.json"),
        ("base", ("config.json",), "no *.safetensors"),
        ("base", ("config.json", "pytorch_model.bin"), "pickles only"),
        ("not a hub id!", (), "neither a folder nor a hub id"),
    ],
)
def test_what_is_no_base(tmp_path, ref, files, words):
    make_folder(tmp_path, *files)
    with pytest.raises(ModelError) as caught:
        resolve_base(ref, tmp_path)
    assert words in str(caught.value)
    assert caught.value.fix
    assert "\n" not in str(caught.value)


def test_a_file_is_no_base(tmp_path):
    (tmp_path / "base").write_text("")
    with pytest.raises(ModelError, match="a file, not a folder"):
        resolve_base("base", tmp_path)


def test_the_hub_out_of_reach(tmp_path, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    with pytest.raises(ModelError, match="could not be reached") as caught:
        resolve_base("someone/some-model", tmp_path)
    assert "embedded" in caught.value.fix


def test_a_hub_base_that_was_fetched_by_half_was_not_fetched(tmp_path, monkeypatch):
    import huggingface_hub.constants

    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    cache = tmp_path / "models--someone--some-model"
    snapshot = cache / "snapshots" / "abc"
    snapshot.mkdir(parents=True)
    (cache / "refs").mkdir()
    (cache / "refs" / "main").write_text("abc")
    (snapshot / "config.json").write_text("{}")
    (snapshot / "model-00001-of-00002.safetensors").write_bytes(b"")
    assert folder_at_hand("someone/some-model", tmp_path) is None
    index = {"weight_map": {"a": "model-1.safetensors", "b": "model-2.safetensors"}}
    (snapshot / "model.safetensors.index.json").write_text(json.dumps(index))
    (snapshot / "model-1.safetensors").write_bytes(b"")
    assert folder_at_hand("someone/some-model", tmp_path) is None
    (snapshot / "model-2.safetensors").write_bytes(b"")
    assert folder_at_hand("someone/some-model", tmp_path) == snapshot
    (snapshot / "model.safetensors.index.json").write_text("[]")
    assert folder_at_hand("someone/some-model", tmp_path) is None
    (snapshot / "model.safetensors").write_bytes(b"")
    assert folder_at_hand("someone/some-model", tmp_path) == snapshot


def test_the_name_that_leaves_the_machine():
    assert Base("/home/me/models/small", Path("/"), "").portable_ref == "small"
    assert Base("someone/small", Path("/"), "").portable_ref == "someone/small"
