"""A Whisper model of one layer and no sense, in both formats, and files of sound by a real writer."""

import math
import wave
from pathlib import Path

import numpy as np


def model(folder: Path, *, converted: bool = True) -> Path:
    """A model's folder in CTranslate2's format, or in transformers'."""
    import torch
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers
    from transformers import (
        GenerationConfig,
        WhisperConfig,
        WhisperFeatureExtractor,
        WhisperForConditionalGeneration,
        WhisperTokenizerFast,
    )

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    tokenizer = Tokenizer(models.BPE(vocab={letter: at for at, letter in enumerate(letters)}, merges=[]))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    marks = [
        "endoftext",
        "startoftranscript",
        "en",
        "de",
        "translate",
        "transcribe",
        "startoflm",
        "startofprev",
    ]
    marks += ["nospeech", "notimestamps", *(f"{at * 0.02:.2f}" for at in range(1501))]
    tokenizer.add_special_tokens([f"<|{mark}|>" for mark in marks])
    end, start, plain = (
        tokenizer.token_to_id(f"<|{mark}|>") for mark in (marks[0], marks[1], "notimestamps")
    )
    sizes = {
        f"{part}_{name}": value
        for part in ("encoder", "decoder")
        for name, value in (("layers", 1), ("attention_heads", 2), ("ffn_dim", 32))
    }
    ids = {"pad_token_id": end, "bos_token_id": end, "eos_token_id": end, "decoder_start_token_id": start}
    none = {"suppress_tokens": [], "begin_suppress_tokens": []}
    torch.manual_seed(0)
    made = WhisperForConditionalGeneration(
        WhisperConfig(vocab_size=tokenizer.get_vocab_size(), d_model=32, **sizes, **ids, **none)
    )
    about = {"no_timestamps_token_id": plain, "is_multilingual": False, "alignment_heads": [[0, 0]]}
    made.generation_config = GenerationConfig(max_length=64, **ids, **none, **about)
    plain_folder = folder / "transformers"
    made.save_pretrained(plain_folder)
    WhisperFeatureExtractor().save_pretrained(plain_folder)
    WhisperTokenizerFast(tokenizer_object=tokenizer).save_pretrained(plain_folder)
    if not converted:
        return plain_folder
    from ctranslate2.converters import TransformersConverter

    files = ["tokenizer.json", "preprocessor_config.json"]
    return Path(
        TransformersConverter(str(plain_folder), copy_files=files).convert(str(folder / "ctranslate2"))
    )


def tones(seconds: float, rate: int = 16_000) -> np.ndarray:
    """Something to hear: 16-bit samples of one channel. (samples,)"""
    at = np.arange(int(seconds * rate)) / rate
    return (8000 * np.sin(2 * math.pi * 300 * at) * (1 + np.sin(2 * math.pi * 3 * at)) / 2).astype(np.int16)


def write(path: Path, samples: np.ndarray, rate: int = 16_000) -> None:
    """A file of sound in the format of its ending."""
    if path.suffix == ".wav":
        with wave.open(str(path), "wb") as out:
            out.setnchannels(1)
            out.setsampwidth(2)
            out.setframerate(rate)
            out.writeframes(samples.tobytes())
        return
    import av

    codecs = {".mp3": "libmp3lame", ".flac": "flac", ".m4a": "aac", ".ogg": "libopus"}
    with av.open(str(path), "w") as out:
        stream = out.add_stream(codecs[path.suffix], rate=48_000 if path.suffix == ".ogg" else rate)
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = rate
        for packet in (*stream.encode(frame), *stream.encode(None)):
            out.mux(packet)
