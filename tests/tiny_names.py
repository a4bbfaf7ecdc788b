"""A tiny token classifier that knows a few names, made on the spot with transformers' own classes."""

import torch


def save_names(folder, labels=("O", "B-PER", "I-PER"), positions=64):
    """A BERT without layers: `zorbla` begins a name, `quint` and `##ova` go on with one, whatever else is none."""
    from transformers import BertConfig, BertForTokenClassification, BertTokenizerFast

    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", "zorbla", "quint", "##ova", "ask", "the", "."]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "vocab.txt").write_text("\n".join(words) + "\n")
    BertTokenizerFast(vocab={word: at for at, word in enumerate(words)}).save_pretrained(folder)
    size = {"hidden_size": 4, "num_hidden_layers": 0, "num_attention_heads": 1, "intermediate_size": 4}
    told = dict(enumerate(labels))
    config = BertConfig(
        vocab_size=len(words), max_position_embeddings=positions, id2label=told,
        label2id={label: at for at, label in told.items()}, **size,
    )  # fmt: skip
    model = BertForTokenClassification(config)
    with torch.no_grad():
        for weight in model.parameters():
            weight.zero_()
        model.bert.embeddings.LayerNorm.weight.fill_(1)
        model.bert.embeddings.word_embeddings.weight[5] = torch.tensor([3.0, -1, -1, -1])
        model.bert.embeddings.word_embeddings.weight[6:8] = torch.tensor([-1.0, 3, -1, -1])
        model.classifier.bias[0] = 0.5
        model.classifier.weight[1, 0] = model.classifier.weight[2, 1] = 1
    model.save_pretrained(folder)
    return folder
