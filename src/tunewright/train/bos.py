"""The beginning-of-sequence token of rows: one at most, and said where there is none.

Engines differ in who writes it. Tunewright, transformers and vLLM take a chat template's word for it; llama.cpp puts one
before every prompt where the tokenizer does so for plain texts.
"""

from collections.abc import Sequence

from tunewright.core.errors import Problem
from tunewright.core.message import Message
from tunewright.models.template import Renderer
from tunewright.train.spec import TrainSpec


def at_head(ids: Sequence[int], renderer: Renderer) -> int:
    """Beginning-of-sequence tokens at the head of the row."""
    bos = renderer.tokenizer.bos_token_id
    count = 0
    while bos is not None and count < len(ids) and ids[count] == bos:
        count += 1
    return count


def doubled(ids: Sequence[int], renderer: Renderer) -> bool:
    """Whether the row has a second one, at its head or where no turn has ended before it.

    Templates may begin every turn with the token (Llama 2): after an end of turn it stands for a text of its own. Where the
    tokenizer begins no text with it, what stands inside is a template's own business: some call their start of a turn so.
    """
    bos, head = renderer.tokenizer.bos_token_id, at_head(ids, renderer)
    if bos is None or head > 1:
        return head > 1
    if bos not in ids[head:] or not renderer.begin_ids or bos in renderer.stop_ids:
        return False
    inside = (place for place in range(max(head, 1), len(ids)) if ids[place] == bos)
    return not all(_after_a_stop(ids, place, renderer) for place in inside)


def missing(renderer: Renderer, spec: TrainSpec) -> list[Problem]:
    """The warning that engines may show the model a token that no row was trained with. Documents begin with it."""
    if spec.method == "cpt" and not spec.rehearsal:
        return []
    if not renderer.begin_ids or at_head(renderer.prompt((Message(role="user", content="a"),)), renderer):
        return []
    return [
        Problem(
            "the base's chat template begins with no beginning-of-sequence token, though its tokenizer begins texts with"
            " one: rows are trained without it, and llama.cpp puts it before every prompt",
            where="base",
            fix="Serve it here, with vLLM or transformers, or begin the template of a copy of the base with its token.",
        )
    ]


def _after_a_stop(ids: Sequence[int], index: int, renderer: Renderer) -> bool:
    """Whether nothing but blanks stands between ids[index] and an end of turn before it."""
    before = index - 1
    while before > 0 and ids[before] not in renderer.stop_ids and not renderer.decode([ids[before]]).strip():
        before -= 1
    return ids[before] in renderer.stop_ids
