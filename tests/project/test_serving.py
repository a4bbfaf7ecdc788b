"""Loading a release: its base wherever that lies now, its template as it was."""

import shutil
from pathlib import Path

import pytest

from tiny import CHATML, save_model
from tunewright.core.errors import ModelError
from tunewright.core.files import write_json
from tunewright.generate.variant import Variant
from tunewright.models.base import Base
from tunewright.models.template import Renderer
from tunewright.project.run import library_versions
from tunewright.project.serving import load_release
from tunewright.project.stages.deciding import RELEASE
from tunewright.store.alias import PRODUCTION, promote
from tunewright.store.artifact import Derivation
from tunewright.store.store import Store


def release(folder: Path, base: Base, template: str) -> Store:
    """A store whose production release was frozen with the base at ./was."""
    store = Store(folder)
    derivation = Derivation(step="release", version="1", spec={})
    built = store.work(derivation) / "out"
    built.mkdir()
    variant = Variant(name="fine-tune", base="./was", base_hash=base.hash)
    write_json(built / RELEASE, {"variant": variant.model_dump(mode="json"), "template": template})
    promote(store.catalogue, store.publish(derivation, built, library_versions()).id)
    return store


@pytest.fixture
def store(tmp_path: Path, tiny_base: Base, tiny_renderer: Renderer) -> Store:
    return release(tmp_path, tiny_base, tiny_renderer.template_hash)


def test_a_base_that_was_moved_serves(store: Store, tmp_path: Path, tiny_base: Base) -> None:
    shutil.copytree(tiny_base.path, tmp_path / "now")
    assert load_release(store, tmp_path, PRODUCTION, "./now").variant.base == "./was"
    save_model(tmp_path / "was", template=CHATML + " ")  # another model stands in its place
    load_release(store, tmp_path, PRODUCTION, "./now")
    shutil.rmtree(tmp_path / "was")
    (tmp_path / "now").rename(tmp_path / "was")
    load_release(store, tmp_path, PRODUCTION, "./gone")


def test_another_base_does_not(store: Store, tmp_path: Path) -> None:
    save_model(tmp_path / "other", template=CHATML + " ")
    with pytest.raises(ModelError, match=r"The base's folder \./was does not exist"):
        load_release(store, tmp_path, PRODUCTION, "./other")
    (tmp_path / "other").rename(tmp_path / "was")
    with pytest.raises(ModelError, match=r"another content of the base \./was"):
        load_release(store, tmp_path, PRODUCTION, "./gone")


def test_another_template_is_refused(tmp_path: Path, tiny_base: Base) -> None:
    shutil.copytree(tiny_base.path, tmp_path / "was")
    with pytest.raises(ModelError, match="proven with another chat template"):
        load_release(release(tmp_path, tiny_base, "0" * 64), tmp_path, PRODUCTION, "./was")


def test_a_manifest_names_what_decides_answers_and_scores() -> None:
    assert {"torch", "llguidance", "jsonschema", "regex"} <= library_versions().keys()
