"""The first lessons: rows of random tokens in which pieces come again, so that copying begins in minutes.

Three kinds of rows: a passage that is repeated; keys with values, asked for again; and spans copied out of the middle
of a row after one of its tokens was named. Some copies drop the space in front of the first word (`Ġword` becomes
`word`), as a copy from prose into JSON does. `ask_rows` is the next lesson: chats that list keys with values and ask
for them, so that the turn's marks stand between the asked key and its answer. `form_rows` asks for several keys at
once, as JSON. `show_rows` tells values in prose of random tokens and answers in a layout that only the turns before show.
"""

from __future__ import annotations

import numpy as np

from tunewright.models.embedded.rows import Renderer, Rows
from tunewright.models.embedded.tokenizer import SPECIAL


def repeat_rows(
    seed: int, step: int, n_rows: int, length: int, renderer: Renderer, spaced: dict[int, int], easy: bool
) -> Rows:
    """The rows of one step: a pure function of the seed and the step. Easy rows are plain repeats of short passages."""
    rng = np.random.default_rng((seed, step))
    vocab, first_token = renderer.tokenizer.get_vocab_size(), len(SPECIAL)
    bare, signs = _bare(vocab, spaced), np.array(renderer.encode("0123456789-."))
    ids = np.zeros((n_rows, length), dtype=np.int64)
    learn = np.zeros((n_rows, length), dtype=bool)
    for row in range(n_rows):
        if easy or rng.random() < 0.3:
            size = int(rng.integers(length // 8, length // 2))
            passage = rng.integers(first_token, vocab, size)
            ids[row] = np.tile(passage, length // size + 1)[:length]
            learn[row, size + 1 :] = True
            continue
        # A narrow choice of tokens now and then makes the matches ambiguous: longer context must decide.
        pool = rng.integers(first_token, vocab, size=int(rng.choice((60, 300, vocab, vocab))))
        if rng.random() < 0.3:
            pool = signs
        make = _repeat if pool is signs else (_repeat, _recall, _spans)[int(rng.integers(3))]
        ids[row], learn[row] = make(rng, pool, length, bare)
    return Rows(ids=ids, learn=learn, parts=np.zeros_like(ids))


def _bare(vocab: int, spaced: dict[int, int]) -> np.ndarray:
    """Each token's number without the space in front."""
    bare = np.arange(vocab)
    for with_space, without in spaced.items():
        bare[with_space] = without
    return bare


def _start_bare(span: np.ndarray, bare: np.ndarray) -> np.ndarray:
    """A span whose first token has lost the space in front, as it stands after a quote."""
    return np.concatenate([bare[span[:1]], span[1:]])


def _repeat(
    rng: np.random.Generator, pool: np.ndarray, length: int, bare: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    size = int(rng.integers(8, min(64, length // 2)))
    passage = rng.choice(pool, size)
    ids, learn = [passage], [np.zeros(size, dtype=bool)]
    total = size
    while total < length:
        start = int(rng.integers(0, size // 2))
        ids.append(passage[start:])
        mask = np.ones(size - start, dtype=bool)
        mask[: 2 if len(pool) > 20 else 5] = False
        learn.append(mask)
        total += size - start
    return np.concatenate(ids)[:length], np.concatenate(learn)[:length]


def _recall(
    rng: np.random.Generator, pool: np.ndarray, length: int, bare: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    size = int(rng.integers(1, 6))
    pairs = max(2, min(12, length // (4 * (size + 2))))
    keys = rng.choice(np.unique(pool), min(pairs, len(np.unique(pool))), replace=False)
    gap, end = rng.integers(4, 260, 2)
    values = [rng.choice(pool, size) for _ in keys]
    ids: list[np.ndarray] = []
    learn: list[np.ndarray] = []
    for key, value in zip(keys, values, strict=True):
        ids.append(np.concatenate([[key, gap], value, [end]]))
        learn.append(np.zeros(size + 3, dtype=bool))
    total = len(keys) * (size + 3)
    while total < length:
        chosen = int(rng.integers(len(keys)))
        value = _start_bare(values[chosen], bare) if rng.random() < 0.3 else values[chosen]
        ids.append(
            np.concatenate([[bare[keys[chosen]] if rng.random() < 0.3 else keys[chosen], gap], value, [end]])
        )
        learn.append(np.array([False, False] + [True] * (size + 1)))
        total += size + 3
    return np.concatenate(ids)[:length], np.concatenate(learn)[:length]


def _spans(
    rng: np.random.Generator, pool: np.ndarray, length: int, bare: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    size = length // 2
    passage = rng.choice(pool, size)
    ask, end = rng.integers(4, 260, 2)
    ids, learn = [passage], [np.zeros(size, dtype=bool)]
    total = size
    while total < length:
        start = int(rng.integers(0, size - 8))
        span = passage[start : start + int(rng.integers(3, 9))]
        head = bare[span[:1]] if rng.random() < 0.3 else span[:1]
        ids.append(np.concatenate([[ask], head, span[1:], [end]]))
        learn.append(np.array([False, False] + [True] * (len(span) - 1) + [False]))
        total += len(span) + 2
    return np.concatenate(ids)[:length], np.concatenate(learn)[:length]


def ask_rows(
    seed: int, step: int, n_rows: int, length: int, renderer: Renderer, spaced: dict[int, int], easy: bool
) -> Rows:
    """Chats over random tokens: keys with values, then one key a turn; only the values are learnt.

    Easy rows have keys and values of one token and few pairs.
    """
    rng = np.random.default_rng((seed, step))
    vocab, first = renderer.tokenizer.get_vocab_size(), len(SPECIAL)
    bare, signs = _bare(vocab, spaced), np.array(renderer.encode("0123456789-.:"))
    ids = np.zeros((n_rows, length), dtype=np.int64)
    learn = np.zeros((n_rows, length), dtype=bool)
    layouts = [
        [renderer.encode(gap), renderer.encode(end)]
        for gap in (":", " =", " is", " ->", "")
        for end in (",", "\n", ".", ";")
    ]
    questions = [
        (renderer.encode(before), renderer.encode(after))
        for before in ("", "What is", "Give")
        for after in ("?", "", ".")
    ]
    for row in range(n_rows):
        gap, end = layouts[int(rng.integers(len(layouts)))]
        before, after = questions[int(rng.integers(len(questions)))]
        n_pairs = int(rng.integers(2, 5 if easy else 9))
        pairs = []
        for _ in range(n_pairs):
            key = rng.integers(first, vocab, 1 if easy or rng.random() < 0.5 else int(rng.integers(1, 4)))
            value = rng.integers(first, vocab, 1 if easy else int(rng.integers(1, 5)))
            if not easy and rng.random() < 0.4:
                value = rng.choice(signs, int(rng.integers(2, 9)))
            pairs.append((key.tolist(), value))
        row_ids = list(renderer.opening("user"))
        for key, value in pairs:
            row_ids += [*key, *gap, *value.tolist(), *end]
        row_learn = [False] * len(row_ids)
        while len(row_ids) < length:
            key, value = pairs[int(rng.integers(n_pairs))]
            answer = (_start_bare(value, bare) if rng.random() < 0.5 else value).tolist()
            asked = [*before, *key, *after, *renderer.closing, *renderer.opening("assistant")]
            row_ids += [*asked, *answer, *renderer.closing, *renderer.opening("user")]
            row_learn += [False] * len(asked) + [True] * (len(answer) + 1)
            row_learn += [False] * (len(row_ids) - len(row_learn))
        ids[row], learn[row] = row_ids[:length], row_learn[:length]
    return Rows(ids=ids, learn=learn, parts=np.zeros_like(ids))


def form_rows(
    seed: int, step: int, n_rows: int, length: int, renderer: Renderer, spaced: dict[int, int], easy: bool
) -> Rows:
    """Chats over random tokens: keys with values, then some of the keys; the answer is a JSON object of them in order."""
    rng = np.random.default_rng((seed, step))
    vocab, first = renderer.tokenizer.get_vocab_size(), len(SPECIAL)
    bare, signs = _bare(vocab, spaced), np.array(renderer.encode("0123456789-.:"))
    opening, colon, comma, ending = (renderer.encode(text) for text in ('{"', '": "', '", "', '"}'))
    layouts = [
        (renderer.encode(gap), renderer.encode(end))
        for gap in (":", " =", " is", "")
        for end in (",", "\n", ".", ";")
    ]
    ids = np.zeros((n_rows, length), dtype=np.int64)
    learn = np.zeros((n_rows, length), dtype=bool)
    for row in range(n_rows):
        gap, end = layouts[int(rng.integers(len(layouts)))]
        joint = renderer.encode((",", ";", "\n", " ", '": "string", "', '": null, "')[int(rng.integers(6))])
        noisy = rng.random() < 0.5
        keys = [rng.integers(first, vocab, int(rng.integers(1, 3))) for _ in range(int(rng.integers(3, 7)))]
        values = [
            rng.choice(signs, int(rng.integers(2, 9)))
            if rng.random() < 0.4
            else rng.integers(first, vocab, int(rng.integers(1, 6)))
            for _ in keys
        ]
        row_ids, row_learn = [*renderer.opening("user")], [False] * len(renderer.opening("user"))
        for key, value in zip(keys, values, strict=True):
            row_ids += [*key.tolist(), *gap, *value.tolist(), *end]
            # Sentences that tell nothing stand between the others in prose, too.
            row_ids += rng.integers(first, vocab, int(rng.integers(5)) if noisy else 0).tolist()
        while len(row_ids) < length:
            wanted = rng.permutation(len(keys))[: int(rng.integers(1, len(keys) + 1))]
            for place in wanted:
                row_ids += [*keys[place].tolist(), *joint]
            row_ids += [*renderer.closing, *renderer.opening("assistant")]
            pairs = [
                [*_start_bare(keys[place], bare).tolist(), *colon, *_start_bare(values[place], bare).tolist()]
                for place in wanted
            ]
            inside = [token for pair in pairs for token in [*comma, *pair]][len(comma) :]
            answer = [*opening, *inside, *ending, renderer.closing[0]]
            row_learn += [False] * (len(row_ids) - len(row_learn)) + [True] * len(answer)
            row_ids += [*answer, *renderer.closing[1:], *renderer.opening("user")]
        row_learn += [False] * (len(row_ids) - len(row_learn))
        ids[row], learn[row] = row_ids[:length], row_learn[:length]
    return Rows(ids=ids, learn=learn, parts=np.zeros_like(ids))


def show_rows(
    seed: int, step: int, n_rows: int, length: int, renderer: Renderer, spaced: dict[int, int], easy: bool
) -> Rows:
    """Chats over random tokens: one to three values told in one of a few ways, answered in one layout of random marks.

    Each value is told after a mark of its own, in any order; from the third turn on, or the sixth where it is told in
    several ways, the answers are learnt.
    """
    rng = np.random.default_rng((seed, step))
    vocab, first = renderer.tokenizer.get_vocab_size(), len(SPECIAL)
    bare, signs = _bare(vocab, spaced), np.array(renderer.encode("0123456789-.:"))
    marks = np.array(renderer.encode("[](){}#*-=:;|/+!&~$%@,_"))
    ids = np.zeros((n_rows, length), dtype=np.int64)
    learn = np.zeros((n_rows, length), dtype=bool)

    def some(low: int, high: int, pool: np.ndarray | None = None) -> list[int]:
        count = int(rng.integers(low, high))
        return (rng.integers(first, vocab, count) if pool is None else rng.choice(pool, count)).tolist()

    def mark(low: int) -> list[int]:
        found = some(low, 3, marks if rng.random() < 0.6 else None)
        return found * 2 if rng.random() < 0.25 else found

    for row in range(n_rows):
        count, n_ways = int(rng.integers(1, 4)), int(rng.choice((1, 1, 2, 3)))
        keys = [some(1, 3) for _ in range(count)]
        ways = [(rng.permutation(count), [some(0, 3) for _ in range(count + 1)]) for _ in range(n_ways)]
        kinds = [signs if rng.random() < 0.4 else None for _ in range(count)]
        shown = rng.permutation(count)[: int(rng.integers(1, count + 1))]
        left, right = mark(0), mark(0)
        around = [(left, right) if rng.random() < 0.7 else (mark(0), mark(0)) for _ in range(count)]
        between = mark(1) if rng.random() < 0.7 else []
        row_ids, row_learn, turn = [*renderer.opening("user")], list[bool](), 0
        while len(row_ids) < length:
            values = [some(2, 9, kind) if kind is not None else some(1, 6) for kind in kinds]
            order, prose = ways[int(rng.integers(n_ways))]
            for place, words in zip(order, prose, strict=False):
                row_ids += [*words, *keys[place], *values[place]]
            row_ids += [*prose[-1], *renderer.closing, *renderer.opening("assistant")]
            answer = list[int]()
            for place in shown:
                before, after = around[place]
                inside = _start_bare(np.array(values[place]), bare).tolist() if before else values[place]
                answer += [*(between if answer else []), *before, *inside, *after]
            answer.append(renderer.closing[0])
            row_learn += [False] * (len(row_ids) - len(row_learn))
            row_learn += [turn >= (2 if n_ways == 1 else 5)] * len(answer)
            row_ids += [*answer, *renderer.closing[1:], *renderer.opening("user")]
            turn += 1
        row_learn += [False] * (len(row_ids) - len(row_learn))
        ids[row], learn[row] = row_ids[:length], row_learn[:length]
    return Rows(ids=ids, learn=learn, parts=np.zeros_like(ids))
