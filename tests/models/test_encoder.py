"""Encoders in the layout of sentence-transformers: tiny random BERTs, saved as their library saves them."""

import numpy as np
import pytest
import torch

from tiny_embeddings import save_encoder
from tunewright.core.errors import ModelError
from tunewright.models.encoder import embedding_folder, encode

TEXTS = ["the red car", "the car", "a blue car is here and there " * 30, "car"]


def alone(tokenizer, model, text, first=False, tokens=16):
    """The vector of one text, without a batch."""
    ids = tokenizer(text, truncation=True, max_length=tokens, return_tensors="pt")
    with torch.inference_mode():
        states = model(**ids).last_hidden_state[0]
    vector = (states[0] if first else states.mean(0)).numpy()
    return vector / np.linalg.norm(vector)


MEAN = {"word_embedding_dimension": 16, "pooling_mode_mean_tokens": True, "pooling_mode_cls_token": False}


@pytest.mark.parametrize(
    ("pooling", "first"),
    [(MEAN, False), (None, False), ({"pooling_mode_cls_token": True}, True), ({"pooling_mode": "cls"}, True)],
)
def test_texts_of_any_length_come_out_as_alone(tmp_path, pooling, first):
    folder, tokenizer, model = save_encoder(tmp_path, pooling)
    wanted = [alone(tokenizer, model, text, first) for text in TEXTS]
    assert np.allclose(encode(TEXTS, folder), wanted, atol=1e-5)


def test_a_plain_transformer_and_a_prompt_of_its_own(tmp_path):
    folder, tokenizer, model = save_encoder(tmp_path / "plain", modules=())
    assert np.allclose(encode(["car"], folder), [alone(tokenizer, model, "car")], atol=1e-5)
    told = {"prompts": {"query": "the red "}, "default_prompt_name": "query"}
    folder, tokenizer, model = save_encoder(tmp_path / "told", **told)
    assert np.allclose(encode(["car"], folder), [alone(tokenizer, model, "the red car")], atol=1e-5)


@pytest.mark.parametrize(
    "told", [{"prompts": ["query"]}, {"prompts": {"q": "x"}, "default_prompt_name": ["q"]}]
)
def test_odd_settings_of_prompts_are_none(tmp_path, told):
    folder, tokenizer, model = save_encoder(tmp_path, **told)
    assert np.allclose(encode(["car"], folder), [alone(tokenizer, model, "car")], atol=1e-5)


def test_no_texts(tmp_path):
    assert encode([], save_encoder(tmp_path)[0]).shape == (0, 16)


@pytest.mark.parametrize(
    ("name", "text", "said"),
    [
        ("modules.json", '[{"path": "d", "type": "x.Dense"}]', "the encoder has a module 'Dense', which is not known here"),
        ("modules.json", '[{"path": "../..", "type": "x.Transformer"}]', "a module of the encoder lies outside of"),
        ("modules.json", "{", "it is not JSON"),
        ("modules.json", "{}", "it holds no list"),
        ("modules.json", "[1]", "its modules.json lists no modules"),
        ("modules.json", "[" * 200_000, "it is not JSON"),
        ("1_Pooling/config.json", '{"pooling_mode_max_tokens": true}', "the encoder pools by pooling_mode_max"),
        ("model.safetensors", "nothing", "the encoder cannot be read"),
    ],
)  # fmt: skip
def test_what_is_not_known_is_refused_in_a_sentence(tmp_path, name, text, said):
    folder, _, _ = save_encoder(tmp_path, MEAN)
    (folder / name).write_text(text)
    with pytest.raises(ModelError) as caught:
        encode(["car"], folder)
    assert said in str(caught.value)
    assert str(caught.value).endswith("Use model: words, or another folder.")


def test_a_name_that_is_neither_folder_nor_hub_id(tmp_path):
    with pytest.raises(ModelError, match="'no/such/folder' is neither a folder nor a hub id"):
        embedding_folder("no/such/folder", tmp_path)
