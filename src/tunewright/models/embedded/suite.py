"""The general suite: held-out draws of every skill, and formats in marks that no chat of the curriculum shows.

What a fine-tune can lose is what this measures: a fine-tuned model that scores lower here than its base has forgotten.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from random import Random
from typing import TYPE_CHECKING

from tunewright.models.embedded import words
from tunewright.models.embedded.curriculum import Draw, Message, draw_from, skills
from tunewright.models.embedded.curriculum.shots import UNSEEN

if TYPE_CHECKING:
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

LONGEST_PROMPT = 1200
"""Characters; longer draws are left out, so that the suite takes seconds."""


def general_suite(n_per_skill: int = 16, seed: int = 0) -> list[Draw]:
    """Held-out draws, `n_per_skill` of each skill, the same for the same arguments."""
    suite: list[Draw] = []
    for name in skills():
        rng = Random(f"general/{seed}/{name}")
        found = 0
        while found < n_per_skill:
            one = draw_from(name, rng, True)
            if sum(len(text) for _, text in one.messages) <= LONGEST_PROMPT:
                suite.append(one)
                found += 1
    return suite


def practice(count: int, seed: int = 0) -> list[Draw]:
    """Draws of the training world, the skills in turn; each ends at an answer of its own drawing, early ones included."""
    rng = Random(f"practice/{seed}")
    names = list(skills())
    found: list[Draw] = []
    while len(found) < count:
        one = draw_from(names[len(found) % len(names)], rng, False)
        answers = [
            place
            for place, (role, _) in enumerate(one.messages)
            if role == "assistant" and place >= one.given
        ]
        cut = replace(one, messages=one.messages[: 1 + rng.choice(answers)])
        if sum(len(text) for _, text in cut.messages) <= LONGEST_PROMPT:
            found.append(cut)
    return found


TOLD = (
    "{name} from {town} has the code {code}.",
    "In {town} lives {name}; the code is {code}.",
    "The code {code} belongs to {name} of {town}.",
)
OTHER_FORMS = (
    "^{town}^`{name}`",
    "<<{name}>>^<<{town}>>",
    "name\\{name}\\code\\{code}",
    "{code}^^{name}^^{town}",
)
"""Formats of the same facts, in such marks too; none was looked at while the curriculum was made."""


def unseen_format(n: int = 32, shots: int = 0, seed: int = 0) -> list[Draw]:
    """A name and a code to be written as `<<CODE>>^<<name>>`, which no chat in training does, after `shots` examples."""
    left, right, between = UNSEEN
    rule = f"Write the code, then the name: each in double angle brackets, a caret ({between}) between."
    form = f"{left}{{code}}{right}{between}{left}{{name}}{right}"
    return _told_and_written(Random(f"unseen/{seed}"), rule, form, n, shots)


def other_formats(n: int = 32, shots: int = 0, seed: int = 0) -> list[Draw]:
    """`n` draws of each of OTHER_FORMS; the system prompt says no more than that there is a format."""
    rule = "Write it in the format shown."
    return [
        draw
        for form in OTHER_FORMS
        for draw in _told_and_written(Random(f"other/{seed}/{form}"), rule, form, n, shots)
    ]


def _told_and_written(rng: Random, rule: str, form: str, n: int, shots: int) -> list[Draw]:
    def one() -> tuple[str, str]:
        facts = {"name": words.person(rng, True), "town": words.place(rng, True), "code": words.order_id(rng)}
        return words.pick(rng, TOLD).format(**facts), form.format(**facts)

    draws: list[Draw] = []
    for _ in range(n):
        examples, (asked, answer) = [one() for _ in range(4)], one()
        messages: list[Message] = [("system", rule)]
        for text, shown in examples[:shots]:
            messages += [("user", text), ("assistant", shown)]
        draws.append(
            Draw("unseen_format", (*messages, ("user", asked), ("assistant", answer)), "exact", 1 + 2 * shots)
        )
    return draws


def in_unseen_format(answer: str) -> bool:
    """Whether an answer has the unseen format's shape, whatever it says."""
    left, right, between = (re.escape(mark) for mark in UNSEEN)
    return re.fullmatch(f"{left}.+{right}{between}{left}.+{right}", answer.strip()) is not None


def begins_in_unseen_format(draw: Draw, answer: str) -> bool:
    """Whether an answer to a draw of `unseen_format` begins as it should: the right code, in its marks."""
    return answer.strip().startswith(draw.messages[-1][1].split(UNSEEN[2])[0])


def grade(draw: Draw, answer: str) -> float:
    """1.0 if the answer is right by the draw's own measure, else 0.0."""
    gold, answer = draw.messages[-1][1].strip(), answer.strip()
    if draw.grade == "json":
        try:
            return float(json.loads(answer) == json.loads(gold))
        except ValueError:
            return 0.0
    if draw.grade == "contains":
        return float(gold in answer)
    if draw.grade == "number":
        numbers = re.findall(r"-?\d+(?:\.\d+)?", answer)
        return float(bool(numbers) and float(numbers[-1]) == float(gold))
    return float(answer == gold)


def answers(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    draws: list[Draw],
    batch: int = 32,
    longest: int = 160,
) -> list[str]:
    """The model's greedy answers; prompts of similar length go together."""
    import torch

    prompts = [
        tokenizer.apply_chat_template(
            [{"role": role, "content": text} for role, text in draw.messages[:-1]],
            add_generation_prompt=True,
            return_dict=False,
        )
        for draw in draws
    ]
    order = sorted(range(len(draws)), key=lambda place: len(prompts[place]))
    found = [""] * len(draws)
    for start in range(0, len(order), batch):
        group = order[start : start + batch]
        width = max(len(prompts[place]) for place in group)
        ids = torch.full((len(group), width), int(tokenizer.pad_token_id))
        mask = torch.zeros((len(group), width), dtype=torch.long)
        for row, place in enumerate(group):
            ids[row, width - len(prompts[place]) :] = torch.tensor(prompts[place])
            mask[row, width - len(prompts[place]) :] = 1
        with torch.inference_mode():
            settings = {"max_new_tokens": longest, "do_sample": False}
            out = model.generate(input_ids=ids, attention_mask=mask, **settings)  # type: ignore[operator]  # transformers types it as a tensor
        for row, place in enumerate(group):
            found[place] = str(tokenizer.decode(out[row, width:], skip_special_tokens=True))
    return found


def scores(draws: list[Draw], given: list[str]) -> dict[str, float]:
    """The mean score of each skill, 0 to 1."""
    sums: dict[str, list[float]] = {}
    for draw, answer in zip(draws, given, strict=True):
        sums.setdefault(draw.skill, []).append(grade(draw, answer))
    return {skill: sum(values) / len(values) for skill, values in sums.items()}
