"""Folders of models beside the base: found at hand, and what is said where there is none."""

import pytest

from tunewright.core.errors import ModelError
from tunewright.models.folder import model_folder


def folder_of(ref, root):
    return model_folder(ref, root, "model for tests", ("config.json",), "some.model", "Name another.")


def test_one_relative_to_the_root_or_absolute(tmp_path):
    (tmp_path / "project").mkdir()
    (tmp_path / "models").mkdir()
    assert folder_of("../models", tmp_path / "project").samefile(tmp_path / "models")
    assert folder_of(str(tmp_path / "models"), tmp_path / "project") == tmp_path / "models"


def test_none_here_and_none_of_the_hub(tmp_path, monkeypatch):
    with pytest.raises(ModelError) as caught:
        folder_of("no/such/folder", tmp_path)
    assert str(caught.value) == (
        "some.model: the model for tests 'no/such/folder' is neither a folder nor a hub id. Name another."
    )
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(ModelError, match="'no/such' is no folder here, and the hub did not give it"):
        folder_of("no/such", tmp_path)
