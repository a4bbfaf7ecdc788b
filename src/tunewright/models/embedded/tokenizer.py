# ruff: noqa: E501  # tables of words and sentences, one row a line
"""The tokenizer of the embedded base model: byte-level BPE made so that copying is easy.

It splits text with Qwen2's own pattern, so transformers, vLLM and llama.cpp know it. What is special is the order of the
merges: letters join with letters first, and a space joins only a finished common word, last of all. A name therefore has
the same pieces after a space, a quote, a dot or an underscore, and a small model can copy it from prose into JSON.
"""

from __future__ import annotations

import json
from collections import Counter
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tunewright.models.embedded import words

if TYPE_CHECKING:
    from tokenizers import Tokenizer

VOCAB_SIZE = 4096
END_OF_TEXT, TURN_START, TURN_END, PAD = "<|endoftext|>", "<|im_start|>", "<|im_end|>", "<|pad|>"
SPECIAL = (
    END_OF_TEXT,
    TURN_START,
    TURN_END,
    PAD,
    "<tool_call>",
    "</tool_call>",
    "<tool_response>",
    "</tool_response>",
)
SPACED_WORDS = 1200
"""How many words get a second token with the space in front."""

PATTERN = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
MARKS = ('{"', '":', ' "', '",', '"}', '["', '"]', '"},', '},', ':{"', ' {"', ' ["', '"}\n', '",\n', '":"', '","', " {", " [",
         " (", ").", "),", ". ", ":\n", ".\n", "  ", "    ", " -", " =", " +", " ->", " |", "->", "```", " #", " @", '".', " $",
         "?\n", '"?', "--", "...", " <", "</", " *", "**", " &", "''", '""', " €", " £", " '", "::", "==", "=>", " =>", "!\n", ", ")  # fmt: skip

TEMPLATE = """{%- if tools -%}
{{- '<|im_start|>system\\n' -}}
{%- if messages[0]['role'] == 'system' -%}{{- messages[0]['content'] + '\\n\\n' -}}{%- endif -%}
{{- 'Tools:' -}}
{%- for tool in tools -%}{{- '\\n' + tool | tojson -}}{%- endfor -%}
{{- '<|im_end|>\\n' -}}
{%- endif -%}
{%- for message in messages -%}
{%- if not (tools and loop.first and message['role'] == 'system') -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['role'] == 'assistant' -%}
{%- generation -%}
{{- message['content'] or '' -}}
{%- for call in message['tool_calls'] or [] -%}
{%- set call = call['function'] if call['function'] is defined else call -%}
{{- '<tool_call>' + {'name': call['name'], 'arguments': call['arguments']} | tojson + '</tool_call>' -}}
{%- endfor -%}
{{- '<|im_end|>' -}}
{%- endgeneration -%}
{{- '\\n' -}}
{%- else -%}
{{- (message['content'] or '') + '<|im_end|>\\n' -}}
{%- endif -%}
{%- endif -%}
{%- endfor -%}
{%- if add_generation_prompt -%}{{- '<|im_start|>assistant\\n' -}}{%- endif -%}
"""


def train_tokenizer(seed: int = 0) -> Tokenizer:
    """The tokenizer, made anew from the word lists; the same seed gives the same file."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers

    letters = _letter_merges(seed, VOCAB_SIZE - len(SPECIAL) - 256 - SPACED_WORDS - len(_mark_merges(MARKS)))
    vocab = {token: number for number, token in enumerate(SPECIAL)}
    for token in sorted(_byte_alphabet()):
        vocab[token] = len(vocab)
    merges: list[tuple[str, str]] = []
    joined = [*letters, *_mark_merges(MARKS)]
    known = {left + right for left, right in joined}
    spaced = [entry for entry in _by_weight(seed) if entry in known or len(entry) == 1]
    joined += [("Ġ", entry) for entry in spaced]
    for left, right in joined:
        if len(vocab) < VOCAB_SIZE and left + right not in vocab:
            vocab[left + right] = len(vocab)
            merges.append((left, right))
    tokenizer = Tokenizer(models.BPE(vocab=vocab, merges=merges, fuse_unk=False, byte_fallback=False))
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(PATTERN), behavior="isolated", invert=False),
            pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens(list(SPECIAL))
    return tokenizer


def save_tokenizer(tokenizer: Tokenizer, folder: Path) -> None:
    """Write tokenizer.json, tokenizer_config.json and chat_template.jinja as transformers reads them."""
    folder.mkdir(parents=True, exist_ok=True)
    tokenizer.save(str(folder / "tokenizer.json"))
    settings = {
        "tokenizer_class": "PreTrainedTokenizerFast",
        "model_max_length": 2048,
        "add_bos_token": False,
        "bos_token": None,
        "eos_token": TURN_END,
        "pad_token": PAD,
        "unk_token": None,
        "clean_up_tokenization_spaces": False,
        "split_special_tokens": False,
    }
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")
    (folder / "chat_template.jinja").write_text(TEMPLATE)


def spaced_pairs(tokenizer: Tokenizer) -> list[tuple[int, int]]:
    """(id of `Ġword`, id of `word`) for every word that has both."""
    vocab = tokenizer.get_vocab()
    return sorted(
        (number, vocab[token[1:]])
        for token, number in vocab.items()
        if token[0] == "Ġ" and token[1:] in vocab
    )


def _byte_alphabet() -> list[str]:
    from tokenizers import pre_tokenizers

    return pre_tokenizers.ByteLevel.alphabet()


def _mark_merges(marks: tuple[str, ...]) -> list[tuple[str, str]]:
    """Merges that build each mark from the left; bytes in the byte-level alphabet."""
    merges: list[tuple[str, str]] = []
    for mark in marks:
        text = _as_bytes(mark)
        merges += [(text[:size], text[size]) for size in range(1, len(text))]
    return list(dict.fromkeys(merges))


def _as_bytes(text: str) -> str:
    from tokenizers import pre_tokenizers

    return "".join(
        piece for piece, _ in pre_tokenizers.ByteLevel(False, use_regex=False).pre_tokenize_str(text)
    )


def _weights(seed: int) -> Counter[str]:
    """How often each word counts when the letter merges are chosen."""
    counts: Counter[str] = Counter()
    for text in words.FUNCTION_WORDS:
        counts[text] += 6000
        counts[text.capitalize()] += 600
    plain = (
        *words.ACTIONS,
        *words.WORK_WORDS,
        *words.THINGS,
        *words.ADJECTIVES,
        *words.COLORS,
        *words.ANIMALS,
        *words.PLACES,
        *words.JOBS,
    )
    for text in (
        *plain,
        *words.NUMBERS,
        *words.VERBS,
        *words.VERBS.values(),
        *words.GOES,
        *words.GOES.values(),
    ):
        if text.isalpha():
            counts[text] += 600
            counts[text.capitalize()] += 25
    for text in (*words.THINGS, *words.JOBS, *words.ANIMALS):
        counts[text + "s"] += 20
    for text in (*words.MONTHS, *words.DAYS):
        counts[text] += 200
    for text in (*words.PEOPLE, *words.SURNAMES, *words.CITIES):
        if not words.held(text):
            counts[text] += 120
    for text in (
        "com",
        "org",
        "net",
        "mail",
        "www",
        "http",
        "ORD",
        "INV",
        "TKT",
        "REF",
        "SKU",
        "SN",
        "PO",
        "RMA",
        "ID",
        "USD",
        "EUR",
        "Pro",
        "Max",
        "Mini",
        "Plus",
        "Air",
        "Lite",
        "Hello",
        "Dear",
    ):
        counts[text] += 300
    rng = Random(seed)
    for _ in range(20000):
        text = words.any_pseudo(rng, False)
        counts[text] += 1
        counts[text.capitalize()] += 4
    return counts


def _by_weight(seed: int) -> list[str]:
    return [text for text, _ in _weights(seed).most_common() if text.isascii()]


def _letter_merges(seed: int, n: int) -> list[tuple[str, str]]:
    """The `n` best merges inside words, by the usual BPE training."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.WhitespaceSplit(), pre_tokenizers.ByteLevel(False, use_regex=False)]
    )
    alphabet = _byte_alphabet()
    trainer = trainers.BpeTrainer(vocab_size=256 + n, initial_alphabet=alphabet, show_progress=False)
    counts = sorted(_weights(seed).items())
    tokenizer.train_from_iterator((" ".join([text] * count) for text, count in counts), trainer)
    return [tuple(pair) for pair in json.loads(tokenizer.to_str())["model"]["merges"]]
