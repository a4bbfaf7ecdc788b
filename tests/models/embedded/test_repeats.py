"""The first lessons: what is learnt can be found earlier in its row."""

import numpy as np
import pytest
from tokenizers import Tokenizer

from tunewright.models.embedded import PATH
from tunewright.models.embedded.repeats import ask_rows, repeat_rows, show_rows
from tunewright.models.embedded.rows import Renderer

RENDERER = Renderer(Tokenizer.from_file(str(PATH / "tokenizer.json")))


@pytest.mark.parametrize("easy", [True, False])
def test_every_learnt_token_of_a_repeat_stood_there_before(easy: bool) -> None:
    rows = repeat_rows(0, 5, 16, 64, RENDERER, {}, easy)
    found = [
        ids[place] in ids[:place]
        for ids, learn in zip(rows.ids, rows.learn, strict=True)
        for place in np.flatnonzero(learn)
    ]
    # The mark that ends a value is learnt too; it stands there from the second pair on.
    assert np.mean(found) > 0.98


@pytest.mark.parametrize("easy", [True, False])
def test_the_answer_is_what_the_first_turn_lists_for_the_key(easy: bool) -> None:
    rows = ask_rows(0, 5, 16, 128, RENDERER, {}, easy)
    assert rows.learn.any(axis=1).all()
    for ids, learn in zip(rows.ids, rows.learn, strict=True):
        text = RENDERER.tokenizer.decode([int(token) for token in ids], skip_special_tokens=False)
        starts = np.flatnonzero(learn & ~np.roll(learn, 1))
        assert text.count("<|im_start|>assistant") >= len(starts)
        assert all(ids[start] in ids[:start] for start in starts)


def test_rows_are_a_pure_function_of_the_step() -> None:
    one, two, other = (repeat_rows(0, step, 4, 64, RENDERER, {}, False) for step in (1, 1, 2))
    assert np.array_equal(one.ids, two.ids)
    assert not np.array_equal(one.ids, other.ids)


def test_a_learnt_layout_was_shown_before_and_its_values_were_told() -> None:
    rows = show_rows(0, 5, 32, 512, RENDERER, {}, False)
    learnt = 0
    for ids, learn in zip(rows.ids.tolist(), rows.learn, strict=True):
        starts = np.flatnonzero(learn & ~np.roll(learn, 1))
        text = RENDERER.tokenizer.decode(ids, skip_special_tokens=False)
        assert text.count("<|im_start|>assistant") >= len(starts) + 2
        learnt += len(starts)
        assert all(ids[place] in ids[:place] for place in np.flatnonzero(learn))
    assert learnt > 100
