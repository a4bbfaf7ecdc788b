"""Models for names: what a tiny token classifier finds, in texts longer than it reads at once; folders that are none."""

import json
import pickle

import pytest

from tiny_names import save_names
from tunewright.core.errors import ModelError
from tunewright.models.names import FIELD, Names, _whole, names_folder, names_model


def found(names, text):
    return [text[start:end] for start, end in names(text)]


def test_names_in_words_whole_and_in_order(tmp_path):
    names = names_model(str(save_names(tmp_path / "ner")), tmp_path)
    assert pickle.loads(pickle.dumps(names)) == names
    assert found(names, "Ask Zorbla Quint. Zorbla zorbla, quintova") == [
        "Zorbla Quint",
        "Zorbla",
        "zorbla",
        "quintova",
    ]
    assert found(names, "ask the") == found(names, "") == []


def test_texts_longer_than_a_window(tmp_path):
    names = Names(save_names(tmp_path / "ner", positions=16))
    text = "ask the Zorbla Quint . " * 100
    assert found(names, text) == ["Zorbla Quint"] * 100


def test_windows_are_read_alike_where_the_tokenizer_pads_on_the_left(tmp_path):
    path = save_names(tmp_path / "ner", positions=16) / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"padding_side": "left"}))
    text = "the . the . the . the . the . ask the Zorbla Quint . the . Quint"
    assert found(Names(path.parent), text) == ["Zorbla Quint", "Quint"]


@pytest.mark.parametrize(
    ("text", "name", "whole"),
    [
        ("张伟在北京工作，很忙", (0, 2), "张伟"),
        ("昨日は田中さんと", (3, 5), "田中"),
        ("คุณสมชายไป", (3, 8), "สมชาย"),
        ("给Anna写信", (1, 4), "Anna"),
        ("Grüße an Müllers", (9, 11), "Müllers"),
        ("김철수는 간다", (0, 3), "김철수는"),
    ],
)
def test_a_name_is_widened_to_a_word_where_blanks_part_words(text, name, whole):
    ((start, end),) = _whole(text, [name])
    assert text[start:end] == whole


def test_labels_without_a_scheme(tmp_path):
    names = Names(save_names(tmp_path / "ner", labels=("O", "PERSON", "GIVEN_NAME")))
    assert found(names, "ask Zorbla Quint") == ["Zorbla Quint"]


def test_what_is_no_model_for_names(tmp_path):
    with pytest.raises(
        ModelError, match=rf"{FIELD}: the model for names '\.\./no/ner' is neither a folder nor a hub id"
    ):
        names_folder("../no/ner", tmp_path)
    (tmp_path / "empty").mkdir()
    with pytest.raises(ModelError, match=r"'empty' has no config\.json beside \*\.safetensors weights"):
        names_folder("empty", tmp_path)
    save_names(tmp_path / "places", labels=("O", "B-LOC", "I-LOC"))
    with pytest.raises(ModelError, match=r"'places' knows no persons \(labels: O, B-LOC, I-LOC\)"):
        names_folder("places", tmp_path)
    path = save_names(tmp_path / "chat") / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"architectures": ["Qwen3ForCausalLM"]}))
    with pytest.raises(ModelError, match=r"'chat' is no token classifier \(Qwen3ForCausalLM\)"):
        names_folder("chat", tmp_path)
    (save_names(tmp_path / "cut") / "model.safetensors").write_bytes(b"cut")
    with pytest.raises(ModelError, match=r"cut: the model for names cannot be read \("):
        names_model("cut", tmp_path)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"id2label": ["O", "B-PER"]}, "'odd' knows no persons (labels: none)"),
        ({"architectures": {"a": 1}}, "'odd' is no token classifier (a model of no kind)"),
        ({"architectures": []}, "'odd' is no token classifier (a model of no kind)"),
    ],
)
def test_a_strange_config_is_told_as_what_it_lacks(tmp_path, config, said):
    path = save_names(tmp_path / "odd") / "config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | config))
    with pytest.raises(ModelError) as caught:
        names_folder("odd", tmp_path)
    assert caught.value.message == f"the model for names {said}"
