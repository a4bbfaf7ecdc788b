"""Tiny embedding models, made on the spot: static vectors as model2vec saves them, a BERT as sentence-transformers does."""

import json

import numpy as np


def save_static(folder, vectors, key="embeddings", **more):
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers

    words = ["[UNK]", "red", "blue", "car"]
    tokenizer = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    save_file({key: np.array(vectors, np.float32), **more}, folder / "model.safetensors")
    (folder / "config.json").write_text(json.dumps({"model_type": "model2vec"}))


VECTORS = [[9, 9], [1, 0], [0, 1], [3, 4]]


def save_encoder(folder, pooling=None, modules=("Transformer", "Pooling", "Normalize"), tokens=16, **told):
    import torch
    from tokenizers import Tokenizer, models, pre_tokenizers
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast

    words = ["[PAD]", "[UNK]", "the", "a", "red", "blue", "car", "is", "here", "and", "there"]
    backend = Tokenizer(models.WordLevel({word: at for at, word in enumerate(words)}, unk_token="[UNK]"))
    backend.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, pad_token="[PAD]", unk_token="[UNK]")
    torch.manual_seed(0)
    size = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 32}
    model = BertModel(BertConfig(vocab_size=len(words), max_position_embeddings=64, **size))
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    if modules:
        paths = {"Transformer": "", "Pooling": "1_Pooling", "Normalize": "2_Normalize"}
        listed = [
            {"path": paths.get(kind, kind), "type": f"sentence_transformers.models.{kind}"}
            for kind in modules
        ]
        (folder / "modules.json").write_text(json.dumps(listed))
    if pooling:
        (folder / "1_Pooling").mkdir()
        (folder / "1_Pooling" / "config.json").write_text(json.dumps(pooling))
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": tokens}))
    if told:
        (folder / "config_sentence_transformers.json").write_text(json.dumps(told))
    return folder, tokenizer, model.eval()
