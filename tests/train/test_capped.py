"""Capped scores (Gemma 2): segments attend as transformers' own eager attention, there and back, whole or in parts."""

import pytest
import torch
from test_pack import FOREST, PAIR, ROWS
from transformers import AutoModelForCausalLM
from transformers.models.gemma2.modeling_gemma2 import eager_attention_forward

from tiny import make_config
from tunewright.train import attention
from tunewright.train.attention import Segments, Unread, attend
from tunewright.train.logprobs import Shape
from tunewright.train.pack import pack
from tunewright.train.policy import Policy

CAP = 0.7
CUT = Segments((17, 30, 4, 2, 40), (-1, 0, 0, 2, -1))


def eager(query, key, value, cut, window):
    """transformers' attention of Gemma 2 with the segments' tree as a mask."""
    ways = [[*cut.above(number), number] for number in range(len(cut.lengths))]
    owner = torch.tensor(cut.lengths).cumsum(0).tolist()
    starts = [end - length for end, length in zip(owner, cut.lengths, strict=True)]
    mask = torch.full((sum(cut.lengths),) * 2, float("-inf"))
    for number, way in enumerate(ways):
        path = [place for i in way for place in range(starts[i], starts[i] + cut.lengths[i])]
        for place in range(starts[number], starts[number] + cut.lengths[number]):
            seen = path[: path.index(place) + 1]
            mask[place, seen if window is None else seen[-window:]] = 0.0
    module = torch.nn.Module()
    module.num_key_value_groups = query.shape[1] // key.shape[1]
    out, _ = eager_attention_forward(module, query, key, value, mask, scaling=0.4, softcap=CAP)
    return out


@pytest.mark.parametrize("room", [attention._CAPPED_BYTES, 0])
@pytest.mark.parametrize("window", [None, 6])
@pytest.mark.parametrize("kv_heads", [4, 2])
def test_segments_attend_as_transformers_eager_attention(monkeypatch, kv_heads, window, room):
    monkeypatch.setattr(attention, "_CAPPED_BYTES", room)
    torch.manual_seed(0)
    found = [torch.randn(1, heads, 93, 8, requires_grad=True) for heads in (4, kv_heads, kv_heads)]
    wanted = [part.detach().clone().requires_grad_() for part in found]
    ours, _ = attend(
        torch.nn.Identity(),
        *found,
        None,
        scaling=0.4,
        sliding_window=window,
        softcap=CAP,
        segments=Unread(CUT),
    )
    theirs = eager(*wanted, CUT, window)
    torch.testing.assert_close(ours, theirs, atol=1e-5, rtol=1e-5)
    slope = torch.randn_like(theirs)
    ours.backward(slope)
    theirs.backward(slope)
    for one, other in zip(found, wanted, strict=True):
        torch.testing.assert_close(one.grad, other.grad, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize(("room", "kept"), [(1 << 20, True), (1 << 16, False)])
def test_what_is_kept_of_many_segments_is_bounded(monkeypatch, room, kept):
    """Of all together: each of these 16 fits the smaller room alone, and a layer would keep the scores of every one."""
    monkeypatch.setattr(attention, "_CAPPED_BYTES", room)
    parts = [torch.randn(1, 4, 1024, 8, requires_grad=True) for _ in range(3)]
    cut, shapes = Unread(Segments((64,) * 16, (-1,) * 16)), []

    def note(part):
        shapes.append(part.shape[-2:])
        return part

    with torch.autograd.graph.saved_tensors_hooks(note, lambda part: part):
        attend(torch.nn.Identity(), *parts, None, softcap=CAP, segments=cut)
    assert ((64, 64) in shapes) == kept


def test_scores_are_each_segments_by_its_row():
    assert CUT.scores() == 17 * 17 + 30 * 47 + 4 * 21 + 2 * 23 + 40 * 40


def test_a_batch_without_segments_attends_row_by_row():
    torch.manual_seed(0)
    parts = [torch.randn(3, heads, 11, 8) for heads in (4, 2, 2)]
    whole = attend(torch.nn.Identity(), *parts, None, softcap=CAP)[0]
    for row in range(3):
        alone = attend(torch.nn.Identity(), *(part[row : row + 1] for part in parts), None, softcap=CAP)[0]
        torch.testing.assert_close(whole[row : row + 1], alone)


def gemma2(dtype=torch.float32):
    """Attention capped tightly, so that a cap left out shows."""
    torch.manual_seed(0)
    settings = {"sliding_window": 4, "attn_logit_softcapping": CAP, "query_pre_attn_scalar": 8}
    return AutoModelForCausalLM.from_config(make_config("gemma2", **settings)).to(dtype)


@pytest.mark.parametrize("prefix", [0, 3])
def test_a_forest_is_as_its_rows_under_transformers_alone(prefix):
    model = gemma2()
    policy = Policy(model, FOREST)
    assert (policy.packed, policy.shape, policy._stock) == (True, Shape(1.0, 30.0), "eager")
    found = policy.logprobs(pack(FOREST, prefix))
    found.mean().backward()
    grads = [parameter.grad.clone() for parameter in model.parameters()]
    model.zero_grad()
    policy.restore()
    rows = [*ROWS, *PAIR.rows]
    wanted = torch.cat([policy._alone(row) for row in rows])
    wanted.mean().backward()
    torch.testing.assert_close(found, wanted, atol=1e-5, rtol=1e-5)
    for grad, parameter in zip(grads, model.parameters(), strict=True):
        torch.testing.assert_close(grad, parameter.grad, atol=1e-5, rtol=1e-4)


def test_the_cap_is_seen():
    """Without it the same weights say something else: the other tests would notice."""
    model = gemma2()
    capped = Policy(model, FOREST).logprobs(pack(FOREST, 3))
    for layer in model.model.layers:
        layer.self_attn.attn_logit_softcapping = None
    assert (Policy(model, FOREST).logprobs(pack(FOREST, 3)) - capped).abs().max() > 0.1


def test_in_bf16_it_is_near_enough():
    exact, rounded = Policy(gemma2(), FOREST), Policy(gemma2(), FOREST, torch.bfloat16)
    assert rounded.packed
    batch = pack(FOREST, 2)
    torch.testing.assert_close(rounded.logprobs(batch), exact.logprobs(batch), atol=0.15, rtol=0)
