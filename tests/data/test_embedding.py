"""Texts as vectors: what `words` learns, and the formats of model2vec and sentence-transformers' static vectors."""

import numpy as np
import pytest

from tiny_embeddings import VECTORS, save_static
from tunewright.core.errors import DataError
from tunewright.data.embedding import embed
from tunewright.data.embedding_spec import EmbeddingSpec

TEXTS = [
    *(f"How do I reset the password of account {number}?" for number in range(40)),
    *(f"Where is my parcel {number}, it has not arrived yet?" for number in range(40)),
    *(f"The invoice {number} shows a wrong amount." for number in range(40)),
]


def test_vectors_have_length_one_and_equal_texts_equal_ones():
    found = embed([*TEXTS, TEXTS[0], "", "…"])
    assert found.shape == (123, 256)
    assert found.dtype == np.float32
    assert np.allclose(np.linalg.norm(found[:121], axis=1), 1, atol=1e-5)
    assert np.allclose(found[0], found[120], atol=1e-5)
    assert not found[121:].any()


def test_what_is_about_the_same_lies_together():
    asked = ["Please reset my password", "The parcel is still not here", "Your invoice has a wrong sum"]
    found = embed([*TEXTS, *asked])
    nearest = (found[120:] @ found[:120].T).argmax(1) // 40
    assert nearest.tolist() == [0, 1, 2]


def test_rare_words_tell_texts_apart():
    places = ["Prague", "Vienna", "Oslo", "Rome", "Lima", "Cairo", "Delhi", "Tokyo", "Quito", "Accra"]
    found = embed([*TEXTS, *(f"What is the weather in {place} tomorrow?" for place in places)])[120:]
    assert (found @ found.T)[~np.eye(10, dtype=bool)].max() < 0.9


def test_a_typing_error_is_forgiven():
    found = embed([*TEXTS, "How do I reset the pasword of account 7?"])
    assert (found[:120] @ found[120]).argmax() // 40 == 0


def test_the_seed_decides_and_nothing_else_does():
    many = [f"{TEXTS[at % 120]} {at}" for at in range(9000)]  # more than are learnt from
    spec = EmbeddingSpec(dimensions=32, seed=3)
    assert np.array_equal(embed(many, spec), embed(tuple(many), spec))
    assert not np.allclose(embed(many, spec), embed(many, EmbeddingSpec(dimensions=32, seed=4)))


@pytest.mark.parametrize("texts", [[], ["one"], ["", ""], ["a b"] * 3, ["你好世界", "再见世界"]])
def test_few_texts_are_no_trouble(texts):
    found = embed(texts)
    assert found.shape == (len(texts), 256)
    assert np.isfinite(found).all()


@pytest.mark.parametrize("inner", ["", "0_StaticEmbedding"])
def test_static_vectors_are_the_mean_of_known_words(tmp_path, inner):
    save_static(tmp_path / "model" / inner, VECTORS, "embedding.weight" if inner else "embeddings")
    found = embed(["red car", "blue", "green"], EmbeddingSpec(model="model"), tmp_path)
    mean = np.array([4, 4]) / np.linalg.norm([4, 4])
    assert np.allclose(found, [mean, [0, 1], [0, 0]])


def test_a_vocabulary_shared_out_to_fewer_vectors(tmp_path):
    more = {"mapping": np.array([0, 1, 1, 2]), "weights": np.array([1, 1, 2, 1], np.float32)}
    save_static(tmp_path, [[9, 9], [1, 0], [0, 1]], **more)
    found = embed(["blue car"], EmbeddingSpec(model="."), tmp_path)
    assert np.allclose(found, [np.array([2, 1]) / np.sqrt(5)])


@pytest.mark.parametrize(
    ("vectors", "more", "said"),
    [
        (VECTORS[:2], {}, "there are vectors for 2 of 4 tokens. Save it again"),
        (VECTORS, {"mapping": np.array([0, 1, 2, 9])}, "the mapping names vectors that are not there"),
        (np.array(VECTORS) * np.nan, {}, "a vector holds something that is no number"),
    ],
)
def test_vectors_that_do_not_fit_the_tokens_are_refused(tmp_path, vectors, more, said):
    save_static(tmp_path, vectors, **more)
    with pytest.raises(DataError, match=said):
        embed(["red"], EmbeddingSpec(model="."), tmp_path)


def test_no_model_there(tmp_path):
    with pytest.raises(DataError) as caught:
        embed(["red"], EmbeddingSpec(model="nowhere"), tmp_path)
    assert str(caught.value) == (
        "the embedding model 'nowhere' is no folder here. Use model: words, or a folder with model.safetensors and"
        " tokenizer.json of model2vec."
    )
