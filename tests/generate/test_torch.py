"""TorchGenerator on tiny random models: the same answers as transformers, alone or in any company."""

import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
import torch
from asking import prompts, settled
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import AutoConfig, AutoModelForCausalLM

from tiny import save_model
from tunewright.core.generation import Decoding, Reply
from tunewright.core.message import Message
from tunewright.generate import decode
from tunewright.generate.torch import MERGE_TOLERANCE, TorchGenerator, load_for_inference
from tunewright.models.base import Base, resolve_base
from tunewright.models.load import load_model

GREEDY = Decoding(max_new_tokens=24)


@pytest.fixture(scope="module", params=["qwen3", "llama", "gemma3_text"])
def base(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Base:
    """Tiny models whose weights are large enough to say different things; the third has a sliding window."""
    folder = tmp_path_factory.mktemp(request.param)
    save_model(folder, request.param, initializer_range=0.6, sliding_window=16, tie_word_embeddings=False)
    return resolve_base(str(folder), folder)


def test_nothing_is_called_by_a_name_that_goes_away(base: Base) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")  # transformers' own FutureWarnings too, which the other tests let pass
        replies = TorchGenerator(base).generate(prompts(3), GREEDY)
    assert [reply.finish for reply in replies].count("error") == 0


def transformers_reply(base: Base, prompt: list[int], stops: set[int], decode) -> Reply:
    model = load_model(base)
    ids = torch.tensor([prompt])
    output = model.generate(
        ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        max_new_tokens=GREEDY.max_new_tokens,
        eos_token_id=list(stops),
        pad_token_id=3,
    )
    new = output[0, len(prompt) :].tolist()
    return Reply(decode(new), len(prompt), len(new), 0.0, "stop" if new[-1] in stops else "length")


@pytest.mark.parametrize("shared", ["", "answer in one word, please, as the fox would: " * 2])
def test_the_same_replies_as_transformers(base: Base, shared: str) -> None:
    generator = TorchGenerator(base)
    renderer = generator._renderer
    replies = settled(generator.generate(prompts(shared=shared), GREEDY))
    asked = [renderer.prompt(prompt) for prompt in prompts(shared=shared)]
    assert replies == [
        transformers_reply(base, ids, set(renderer.stop_ids), renderer.decode) for ids in asked
    ]
    assert len({reply.text for reply in replies}) > 6


def test_an_adapter_that_stays_apart_keeps_the_beginning_once(tiny_base: Base, adapter: Path) -> None:
    """As in 16 bits: PEFT's wrapper hands the beginning on."""
    model = load_model(tiny_base, adapter=adapter)
    asked = prompts(6, shared="the fox would answer in one word: " * 3)
    generator = TorchGenerator.around(model, TorchGenerator(tiny_base)._renderer)
    assert decode.keeps_beginning(model)
    alone = [settled(generator.generate([prompt], GREEDY))[0] for prompt in asked]
    assert settled(generator.generate(asked, GREEDY)) == alone


def test_in_bf16_the_beginning_kept_once_is_near_the_one_in_each_row(tiny_base: Base) -> None:
    model = load_model(tiny_base, dtype=torch.bfloat16)
    assert decode.keeps_beginning(model)


def test_eager_attention_is_left_alone(tiny_base: Base) -> None:
    model = load_model(tiny_base)
    model.set_attn_implementation("eager")
    assert not decode.keeps_beginning(model)
    assert model.config._attn_implementation == "eager"


@pytest.mark.parametrize("kind", ["qwen3", "llama", "gemma3_text"])
def test_a_beginning_kept_once_gives_the_logits_of_one_kept_in_each_row(kind: str, tmp_path: Path) -> None:
    save_model(tmp_path, kind, initializer_range=0.6, num_attention_heads=4, num_key_value_heads=2)
    generator = TorchGenerator(resolve_base(str(tmp_path), tmp_path))
    model, renderer = generator._model, generator._renderer
    asked = [renderer.prompt(prompt) for prompt in prompts(shared="the fox would answer in one word: " * 3)]
    assert decode.keeps_beginning(model) is (kind != "gemma3_text")  # it has a window

    def logits(once: bool) -> torch.Tensor:
        """After the prompts, after a token more with all rows, and after another with some of them."""
        batch = decode._Batch(model, asked, once=once)
        with torch.inference_mode(), batch.read_beginning():
            found = [batch.read_prompts(), batch.step([5] * len(asked))]
            batch.keep([1, 4, 7])
            found.append(batch.step([9, 8, 7]))
        assert model.config._attn_implementation == "sdpa"
        return torch.cat(found)

    if kind == "gemma3_text":
        return
    once, each = logits(True), logits(False)
    assert (once - each).abs().max() < 1e-4 * each.abs().max()
    assert once.std(0).max() > 0.1


def test_the_models_own_attention_is_back_after_an_error(tiny_base: Base) -> None:
    generator = TorchGenerator(tiny_base)
    asked = [
        generator._renderer.prompt(p) for p in prompts(3, shared="the fox would answer in one word: " * 3)
    ]

    def pick(logits: torch.Tensor, rows: Sequence[int]) -> list[int]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        decode.decode(generator._model, asked, [9] * 3, {2}, pick, lambda row, answer: None, once=True)
    assert generator._model.config._attn_implementation == "sdpa"


@pytest.mark.parametrize(
    ("kind", "sizes"),
    [
        ("falcon", {"alibi": False}),  # its attention is its own, whatever it is told
        (  # its cache holds less than its attention sees
            "deepseek_v3",
            {
                "intermediate_size": 48, "moe_intermediate_size": 16, "n_routed_experts": 4, "n_group": 1, "topk_group": 1,
                "num_experts_per_tok": 2, "q_lora_rank": 16, "kv_lora_rank": 16, "qk_rope_head_dim": 8, "v_head_dim": 16,
                "qk_nope_head_dim": 8, "first_k_dense_replace": 1, "num_key_value_heads": 4,
            },
        ),
    ],
)  # fmt: skip
def test_a_model_that_cannot_keep_the_beginning_once_is_found_out(kind: str, sizes: dict[str, Any]) -> None:
    config = AutoConfig.for_model(
        kind, vocab_size=400, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, **sizes
    )
    model = AutoModelForCausalLM.from_config(config).eval()
    assert model.config._attn_implementation == "sdpa"
    assert not decode.keeps_beginning(model)
    assert model.config._attn_implementation == "sdpa"


def test_a_row_answers_alone_as_in_company(base: Base) -> None:
    generator = TorchGenerator(base)
    for decoding in (GREEDY, Decoding(max_new_tokens=24, temperature=0.9, top_p=0.9, seed=3)):
        together = settled(generator.generate(prompts(), decoding))
        assert together == [settled(generator.generate([prompt], decoding))[0] for prompt in prompts()]
        assert together == settled(generator.generate(prompts(), decoding))


def test_rows_stop_at_different_times_and_say_so(tiny_base: Base) -> None:
    generator = TorchGenerator(tiny_base)
    decoding = Decoding(max_new_tokens=40, temperature=8.0)
    order: list[int] = []
    replies = generator.generate(prompts(60), decoding, lambda index, reply: order.append(index))
    assert sorted(order) == list(range(60))
    assert order != list(range(60))
    assert {reply.finish for reply in replies} == {"stop", "length"}
    assert all(reply.tokens_out == 40 for reply in replies if reply.finish == "length")
    assert all("<|im_end|>" not in reply.text for reply in replies)
    assert min(reply.latency_s for reply in replies) > 0


def test_seeds_and_temperature_change_samples(tiny_base: Base) -> None:
    generator = TorchGenerator(tiny_base)
    texts = [
        [
            r.text
            for r in generator.generate(prompts(4), Decoding(max_new_tokens=12, temperature=1.0, seed=seed))
        ]
        for seed in (0, 0, 1)
    ]
    assert texts[0] == texts[1] != texts[2]
    cold = generator.generate(prompts(4), Decoding(max_new_tokens=12, temperature=1e-4))
    assert settled(cold) == settled(generator.generate(prompts(4), Decoding(max_new_tokens=12)))


def test_prompts_that_do_not_fit(tiny_base: Base) -> None:
    generator = TorchGenerator(tiny_base)
    fits = (Message(role="user", content="y" * 490),)
    replies = generator.generate(
        [(Message(role="user", content="x" * 600),), fits, ()], Decoding(max_new_tokens=100)
    )
    tokens = len(generator._renderer.prompt(fits))
    assert replies[0].finish == "error"
    assert "tokens, and the model takes fewer than 512" in (replies[0].error or "")
    assert (replies[1].finish, replies[1].tokens_in + replies[1].tokens_out) == ("length", 512)
    assert tokens == replies[1].tokens_in
    assert generator.generate([], GREEDY) == []


@pytest.fixture(scope="module")
def adapter(tiny_base: Base, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from peft import LoraConfig, get_peft_model

    torch.manual_seed(1)
    config = LoraConfig(r=4, lora_alpha=8, target_modules="all-linear", init_lora_weights=False)
    folder = tmp_path_factory.mktemp("adapter")
    get_peft_model(load_model(tiny_base), config).save_pretrained(folder)
    return folder


def test_an_adapter_is_merged_and_says_the_same(tiny_base: Base, adapter: Path) -> None:
    merged, apart = load_for_inference(tiny_base, adapter), load_model(tiny_base, adapter=adapter)
    assert not hasattr(merged, "peft_config")
    ids = torch.arange(40)[None]
    wanted = apart(input_ids=ids).logits
    largest = float(wanted.abs().max())
    torch.testing.assert_close(merged(input_ids=ids).logits, wanted, rtol=0, atol=MERGE_TOLERANCE * largest)
    tuned = TorchGenerator(tiny_base, adapter).generate(prompts(), GREEDY)
    assert settled(tuned) != settled(TorchGenerator(tiny_base).generate(prompts(), GREEDY))


class Largest(TorchDispatchMode):
    """The largest tensor that is made while it lasts, in bytes."""

    def __init__(self) -> None:
        super().__init__()
        self.bytes = 0

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        made = func(*args, **(kwargs or {}))
        if isinstance(made, torch.Tensor):
            self.bytes = max(self.bytes, made.nbytes)
        return made


def test_merging_is_done_in_place_with_a_layers_update_beside_it(
    tiny_base: Base, adapter: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No second copy of the base: merging ran others out of memory."""
    from peft.tuners.lora import LoraModel

    merge, largest, before, layers = LoraModel.merge_and_unload, Largest(), set[int](), list[int]()

    def watched(model: Any, *given: Any, **more: Any) -> Any:
        before.update(weight.data_ptr() for weight in model.parameters())
        layers.extend(one.base_layer.weight.nbytes for one in model.modules() if hasattr(one, "base_layer"))
        with largest:
            return merge(model, *given, **more)

    monkeypatch.setattr(LoraModel, "merge_and_unload", watched)
    merged = load_for_inference(tiny_base, adapter)
    assert not hasattr(merged, "peft_config")
    assert {weight.data_ptr() for weight in merged.parameters()} <= before
    assert 0 < largest.bytes <= max(layers)
