"""The generator's parts: batches, draws, shared beginnings, prompts and variants."""

from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tunewright.core.errors import ModelError
from tunewright.core.example import ask
from tunewright.core.generation import Decoding, Reply
from tunewright.core.message import Message, with_system
from tunewright.generate.partition import MAX_ROWS, cut_batches, shared_beginning
from tunewright.generate.prompted import Prompted
from tunewright.generate.resolve import bare, load_variant
from tunewright.generate.sampling import draw
from tunewright.generate.torch import TorchGenerator
from tunewright.generate.variant import Variant
from tunewright.models.base import Base
from tunewright.models.load import load_tokenizer
from tunewright.models.template import Renderer

QUESTION = (Message(role="user", content="Where is the fox?"),)


@given(
    st.lists(st.tuples(st.integers(0, 3), st.integers(1, 400)), max_size=300),
    st.integers(1, 200),
    st.integers(1, 20_000),
    st.booleans(),
)
@settings(max_examples=60, deadline=None)
def test_batches_hold_every_row_once_within_the_budget(
    rows: list[tuple[int, int]], new: int, budget: int, once: bool
) -> None:
    prompts = [[head] * 300 * head + list(range(10, 10 + length)) for head, length in rows]
    batches = cut_batches(prompts, new, budget, once=once)
    assert sorted(i for batch in batches for i in batch) == list(range(len(prompts)))
    for batch in batches:
        assert batch
        shared = shared_beginning([prompts[i] for i in batch]) if once else 0
        width = max(len(prompts[i]) for i in batch) - shared + new
        assert len(batch) == 1 or len(batch) * width <= budget
        assert len(batch) <= MAX_ROWS
    if not once:
        order = [len(prompts[i]) for batch in batches for i in batch]
        assert order == sorted(order)


def test_prompts_that_begin_alike_are_asked_together_where_that_pays() -> None:
    own = [[100 + i, *range(200 + i)] for i in range(10)]
    alike = [[*range(1200), 5000 + i, i] for i in range(9)]
    few = [[7] * 2000 + [i] for i in range(4)]
    prompts = [prompt for nine in zip(alike, own[:9], strict=True) for prompt in nine] + few + own[9:]
    groups = [sorted(batch) for batch in cut_batches(prompts, 50, 1 << 20, once=True)]
    assert groups[0] == list(range(0, 18, 2))
    assert groups[1:] == [sorted(set(range(len(prompts))) - set(groups[0]))]
    assert len(cut_batches(prompts, 50, 1 << 20)) == 1
    # a beginning that is larger than the room there is leaves rows together all the same
    assert len(cut_batches(alike, 20, 1000, once=True)) == 1
    # kept once, what is shared leaves room for more rows
    assert len(cut_batches(alike, 50, 2100, once=True)) == 1
    assert len(cut_batches(alike, 50, 2100)) == 9


def test_draws_follow_the_probabilities_within_the_nucleus() -> None:
    logits = torch.tensor([[0.5, 0.3, 0.15, 0.05]]).log().expand(10_000, -1)
    draws = (torch.arange(10_000, dtype=torch.float64)[:, None] + 0.5) / 10_000
    assert Counter(draw(logits, draws, 1.0, 1.0).tolist()) == {0: 5000, 1: 3000, 2: 1500, 3: 500}
    assert Counter(draw(logits, draws, 1.0, 0.6).tolist()) == {0: 6250, 1: 3750}
    assert Counter(draw(logits, draws, 1.0, 0.0).tolist()) == {0: 10_000}
    flat = Counter(draw(logits, draws, 1e6, 1.0).tolist())
    assert max(flat.values()) - min(flat.values()) < 3


def test_shared_beginning() -> None:
    head = list(range(20))
    assert shared_beginning([[*head, 1], [*head, 2, 3]]) == 20
    assert shared_beginning([head, [*head, 5]]) == 19
    assert shared_beginning([[*head[:15], 1], [*head[:15], 2]]) == 0
    assert shared_beginning([head]) == 0


def test_prompted_puts_system_and_shots_first() -> None:
    shot = ask("a", "b", system="not this one")
    model = Prompted(Echo(), "be brief", (shot,))
    own = (Message(role="system", content="mine"), *QUESTION)
    replies = model.generate([QUESTION, own], Decoding())
    assert [reply.text for reply in replies] == [
        "system:be brief|user:a|assistant:b|user:Where is the fox?",
        "system:mine|user:a|assistant:b|user:Where is the fox?",
    ]


@pytest.mark.parametrize("roles", ["u", "su", "du", "sdu", "us", ""])
@pytest.mark.parametrize("system", ["", "be brief"])
def test_training_and_serving_put_the_system_prompt_in_the_same_place(roles: str, system: str) -> None:
    names = {"u": "user", "s": "system", "d": "developer"}
    conversation = tuple(Message(role=names[role], content=role) for role in roles)
    assert Prompted(Echo(), system).prompt(conversation) == with_system(conversation, system)


@pytest.mark.parametrize(
    "settings",
    [
        {"max_new_tokens": 0},
        {"temperature": -0.1},
        {"temperature": float("nan")},
        {"temperature": float("inf")},
        {"top_p": 0},
        {"top_p": 1.01},
    ],
)
def test_decoding_has_bounds(settings: dict[str, float]) -> None:
    with pytest.raises(ValidationError):
        Decoding(**settings)


class Echo:
    """Answers with what it was asked."""

    def generate(self, conversations, decoding, on_reply=None) -> list[Reply]:
        texts = ["|".join(f"{m.role}:{m.content}" for m in c) for c in conversations]
        return [Reply(text, 0, 0, 0.0, "stop") for text in texts]


def test_variants_without_an_adapter_share_the_base(tiny_base: Base) -> None:
    variant = Variant(name="prompt", base=tiny_base.ref, base_hash=tiny_base.hash, system="be brief")
    prompted, plain = load_variant(variant, tiny_base), load_variant(bare(variant), tiny_base)
    assert isinstance(prompted, Prompted)
    assert prompted._generator is plain
    assert isinstance(plain, TorchGenerator)


def test_a_variant_of_another_base_is_refused(tiny_base: Base, tmp_path: Path) -> None:
    other = Variant(name="old", base="embedded", base_hash="0" * 64)
    with pytest.raises(ModelError, match=f"another content of the base {tiny_base.ref}"):
        load_variant(other, tiny_base)
    tuned = Variant(name="tuned", base_hash=tiny_base.hash)
    with pytest.raises(ModelError, match="proven with another chat template"):
        load_variant(tuned, tiny_base, template="0" * 64)
    template = Renderer(load_tokenizer(tiny_base)).template_hash
    assert load_variant(tuned, tiny_base, template=template).template_hash == template
    lost = Variant(name="tuned", base=tiny_base.ref, base_hash=tiny_base.hash, adapter="gone")
    with pytest.raises(ModelError):
        load_variant(lost, tiny_base, root=tmp_path)
