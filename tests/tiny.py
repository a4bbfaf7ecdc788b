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


_SEES = {
    "hidden_size": 16,
    "intermediate_size": 24,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "image_size": 28,
}
_PARTS = {"rope_type": "default", "rope_theta": 10_000.0, "mrope_section": [1, 1, 2]}
IMAGES = {
    "gemma3": {
        "mm_tokens_per_image": 4,
        "image_token_index": 10,
        "vision_config": _SEES | {"patch_size": 14},
    },
    "qwen2_5_vl": {
        "vision_config": _SEES | {"depth": 1, "num_heads": 2, "out_hidden_size": 32},
        "text_config": {"rope_parameters": _PARTS},
    },
}
"""Settings of small models that read images beside text, by architecture."""


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
    """The configuration of a two-layer model of the given architecture, whose text part it is where it has several."""
    from transformers import AutoConfig

    size = {
        "vocab_size": 400, "hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2,
        "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 8, "max_position_embeddings": 512,
        "tie_word_embeddings": True, "bos_token_id": None, "eos_token_id": 2, "pad_token_id": 3, "initializer_range": 0.5,
    }  # fmt: skip
    if architecture in IMAGES:
        whole = IMAGES[architecture] | settings
        return AutoConfig.for_model(
            architecture, **(whole | {"text_config": size | whole.get("text_config", {})})
        )
    return AutoConfig.for_model(architecture, **(size | settings))


def save_model(
    folder: Path, architecture: str = "qwen3", *, template: str | None = CHATML, **settings: object
) -> Path:
    """A folder with a tiny random model and its tokenizer."""
    import torch
    from transformers import AutoModelForCausalLM, AutoModelForImageTextToText

    torch.manual_seed(0)
    loader = AutoModelForImageTextToText if architecture in IMAGES else AutoModelForCausalLM
    model = loader.from_config(make_config(architecture, **settings))
    model.save_pretrained(folder)
    make_tokenizer(template).save_pretrained(folder)
    return folder
