"""Embedding models of a project: static vectors and encoders in a recipe, known by their content."""

from pathlib import Path

import numpy as np
import pytest

import tunewright
from tiny_embeddings import VECTORS, save_encoder, save_static
from tunewright.core.errors import ModelError
from tunewright.core.files import read_json
from tunewright.data.embedding import embed
from tunewright.data.embedding_spec import EmbeddingSpec
from tunewright.project.embeddings import vectors

PROJECT = """\
name: alike
task: {system: Say the colour.}
sources: {rows: {path: rows.csv, columns: {input: text, expected: kind}}}
recipe: [{op: drop_similar, threshold: 0.98, embedding: {model: place}}]
"""


@pytest.fixture
def folder(tmp_path):
    texts = [("red car", "red"), ("car red", "red"), ("blue car", "red"), ("red", "blue")]
    (tmp_path / "rows.csv").write_text("\n".join(["text,kind", *map(",".join, texts)]) + "\n")
    (tmp_path / "tunewright.yaml").write_text(PROJECT)
    return tmp_path


def prepared(folder):
    outcome = tunewright.open(folder).run("prepare").outcomes[-1]
    return outcome.made, read_json(outcome.artifact.file("recipe.json"))[0]["account"]


def test_static_vectors_in_a_recipe_and_another_model_works_anew(folder):
    save_static(folder / "place", VECTORS)
    made, account = prepared(folder)
    assert (made, account["first"]) == (True, [["rows.csv:3", "means the same as rows.csv:2"]])
    assert prepared(folder)[0] is False
    save_static(folder / "place", [*VECTORS[:2], [1, 0.01], VECTORS[3]])  # now blue is as red
    made, account = prepared(folder)
    assert made
    assert [row[0] for row in account["first"]] == ["rows.csv:3", "rows.csv:4"]


def test_an_encoder_in_a_recipe(folder):
    save_encoder(folder / "place")
    made, account = prepared(folder)
    assert made
    assert account["rows_in"] == 4


@pytest.mark.parametrize(
    ("made", "said"),
    [
        (False, "recipe, drop_similar.embedding.model: the embedding model '../no/place' is neither a folder nor a hub id"),
        (True, "place: the embedding model has no *.safetensors weights. Save it again as safetensors"),
    ],
)  # fmt: skip
def test_a_model_that_is_none(folder, made, said):
    if made:
        (folder / "place").mkdir()
    else:
        (folder / "tunewright.yaml").write_text(PROJECT.replace("model: place", "model: ../no/place"))
    with pytest.raises(ModelError) as caught:
        prepared(folder)
    assert said in str(caught.value)


def test_words_need_no_model():
    texts = ["a red car", "a blue car"]
    assert np.array_equal(vectors(texts, EmbeddingSpec(), Path()), embed(texts))
