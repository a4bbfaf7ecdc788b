"""Tiny real models and tokenizers, made on the spot: random weights, a tokenizer trained on a few lines."""

from pathlib import Path

CHATML = (
    "{%- for message in messages -%}{{- '<|im_start|>' + message['role'] + '\\n' -}}"
    "{%- if message['role'] == 'assistant' -%}"
    "{%- generation -%}{{- message['content'] + '<|im_end|>' -}}{%- endgeneration -%}{{- '\\n' -}}"
    "{%- else -%}{{- message['content'] + '<|im_end|>\\n' -}}{%- endif -%}{%- endfor -%}"
    "{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}"
)
"""ChatML with generation markers."""

TEXT = """The quick brown fox jumps over the lazy dog. What is the colour of the door? The door is red.
{"name": "Ada", "city": "Prague", "priority": "high", "tags": ["a", "b"]} Please answer in JSON. user assistant system
Reply with one word: yes, no. 0 1 2 3 4 5 6 7 8 9 10 11 12 + - = How much is it? It is eleven euros."""

SINKS = {
    "num_local_experts": 4,
    "num_experts_per_tok": 2,
    "rope_parameters": {"rope_type": "default", "rope_theta": 10_000.0},
}
"""Settings of a small "gpt_oss", whose attention has sinks, so that its rows cannot be packed."""


def make_tokenizer(template: str | None = CHATML, **tokens: str):
    """A byte-level BPE of about 400 tokens, trained on a few lines."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
    from transformers import PreTrainedTokenizerFast

    backend = Tokenizer(models.BPE())
    backend.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    backend.decoder = decoders.ByteLevel()
    special = ["<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>", "<s>"]
    trainer = trainers.BpeTrainer(
        vocab_size=400,
        special_tokens=special,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    backend.train_from_iterator([TEXT], trainer)
    names = {"eos_token": "<|im_end|>", "pad_token": "<|pad|>"} | tokens
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=backend, clean_up_tokenization_spaces=False, **names)
    tokenizer.chat_template = template
    return tokenizer


def make_config(architecture: str = "qwen3", **settings: object):
    """The configuration of a two-layer model of the given architecture."""
    from transformers import AutoConfig

    size = {
        "vocab_size": 400, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 512,
        "tie_word_embeddings": True, "bos_token_id": None, "eos_token_id": 2, "pad_token_id": 3, "initializer_range": 0.5,
    }  # fmt: skip
    return AutoConfig.for_model(architecture, **(size | settings))


def save_model(
    folder: Path, architecture: str = "qwen3", *, template: str | None = CHATML, **settings: object
) -> Path:
    """A folder with a tiny random model and its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM

    torch.manual_seed(0)
    model = AutoModelForCausalLM.from_config(make_config(architecture, **settings))
    model.save_pretrained(folder)
    make_tokenizer(template).save_pretrained(folder)
    return folder
