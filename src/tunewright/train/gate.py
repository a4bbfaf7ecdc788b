"""The gate before training: what is wrong with the rows' tokens, before an hour is spent on them.

Nothing here takes the renderer's word: where a row's trained part begins is found again from its prompt, what it says
by decoding it, where it must end from the template's end-of-turn token, what it has of tools by looking for it in the
text. A document is put together again from its pieces. What suites will ask is measured too: a reply that cannot come
would be scored as a wrong one. Refusing is the caller's: a report with problems is not to be trained on.
"""

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, pairwise, repeat
from typing import Literal, NamedTuple

from pydantic import BaseModel, ConfigDict

from tunewright.core.errors import ModelError, Problem
from tunewright.core.example import Example
from tunewright.core.message import Conversation, Message, is_document, last_answer_trained, with_system
from tunewright.generate.constraint import Constraint
from tunewright.models.template import Rendered, Renderer, UnseenError
from tunewright.models.thinking import FIX_IN_SOURCE, ServedOtherwiseError, ThinkingError, thinks, thought
from tunewright.train import bos
from tunewright.train.defaults import Facts
from tunewright.train.pack import Tree
from tunewright.train.shown import left_out

_SHOWN = 5
"""Rows shown with their mask."""
_NAMED = 10
"""Row ids named for each kind of problem."""

Kind = Literal[
    "template refuses", "nothing trained", "mask wrong", "no end of turn", "answer changed",
    "prompt differs", "doubled BOS", "too long", "too long to cut", "control token in answer",
    "untrained text", "no end of text", "text changed", "control token in text", "answer barred", "tools unseen",
    "thinking", "thinking left out", "answer differs",
]  # fmt: skip

_WORDS: dict[str, tuple[str, str]] = {
    "template refuses": (
        "cannot be rendered with the base's chat template",
        "Change their roles or their order, or choose a base whose template takes them.",
    ),
    "tools unseen": (
        "have tools, calls or tools' answers that the base's chat template leaves out",
        "Choose a base whose chat template shows them, or take them out of the rows.",
    ),
    "thinking": (
        "have an answer with a thinking part, and the base's chat template asks for answers without one",
        f"Take <think>…</think> out of the answers ({FIX_IN_SOURCE}), or choose a base whose template writes no thinking"
        " part into the prompt.",
    ),
    "thinking left out": (
        "have an answer whose thinking part the base's chat template leaves out",
        'Give such earlier answers "weight": 0, train them as rows of their own, or leave thinking out'
        f" ({FIX_IN_SOURCE}).",
    ),
    "answer differs": (
        "have an answer that the base's chat template shows otherwise than its own prompt leads to it",
        "Choose a base whose chat template shows an answer as its own prompt leads to it.",
    ),
    "nothing trained": (
        "have no token to train",
        'Give at least one answer that has text and not "weight": 0.',
    ),
    "mask wrong": (
        "would train other tokens than the answers",
        "Put {% generation %} markers around the answer, and around nothing else, in the base's chat template.",
    ),
    "no end of turn": (
        "would train an answer without its end-of-turn token, and the model would not stop",
        "Let the base's chat template close an answer with its end-of-turn token.",
    ),
    "answer changed": (
        "have an answer that the template or the tokenizer changes",
        "Choose a base whose tokenizer can write these answers, or drop the rows.",
    ),
    "prompt differs": (
        "have another prompt in training than in serving",
        'Give the earlier answers of these rows "weight": 0, or train them as rows of their own.',
    ),
    "doubled BOS": (
        "have a second beginning-of-sequence token",
        "Take the token out of the text or the template.",
    ),
    "too long": (
        "are longer than train.max_length and would be cut through their answer",
        "Raise train.max_length, or set train.over_long to drop or cut.",
    ),
    "too long to cut": (
        "are longer than train.max_length even with their last turn alone, or lose their only trained answers with the"
        " turns before",
        "Raise train.max_length, or set train.over_long to drop.",
    ),
    "control token in answer": (
        "have a control token's name in an answer",
        "Take the rendered template out of the answers: rows hold messages, not prompts.",
    ),
    "untrained text": (
        "are documents of which a token would not be trained, or twice",
        "Report it: the pieces of a document are to follow each other.",
    ),
    "no end of text": (
        "are documents without an end-of-sequence token at their end",
        "Choose a base whose tokenizer has one.",
    ),
    "text changed": (
        "are documents that the tokenizer changes",
        "Choose a base whose tokenizer can write these texts, or drop the rows.",
    ),
    "control token in text": (
        "are documents with a control token inside, for what the tokenizer does not know",
        "Choose a base whose tokenizer can write these texts, or drop the rows.",
    ),
    "answer barred": (
        "have an answer that decoding.constrained would not let the model write",
        "Mend the answers, give each object of the schema all its properties in one place (not some beside anyOf, allOf or"
        " $ref), or set decoding.constrained: false.",
    ),
}


class RowProblem(BaseModel):
    """One kind of problem: how many rows have it, and the first of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    kind: Kind
    rows: int
    ids: tuple[str, ...]
    """The first rows' ids."""
    detail: str | None = None
    """What was seen in the first row."""

    def problem(self) -> Problem:
        """As an error shows it."""
        words, fix = _WORDS[self.kind]
        detail = f" ({self.detail})" if self.detail else ""
        named = self.ids[:3]
        where = f"rows {', '.join(named)}"
        return Problem(f"{self.rows} rows {words}{detail}.", where=where, fix=fix, examples=named)


class Segment(NamedTuple):
    """A run of tokens as text, and whether it is trained."""

    text: str
    trained: bool


class ShownRow(BaseModel):
    """One row, cut into trained and untrained pieces."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    segments: tuple[Segment, ...]


class GateReport(BaseModel):
    """What the gate found. No problems: the rows may be trained on."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    rows: int
    problems: tuple[RowProblem, ...]
    notes: dict[str, int]
    """Things worth knowing that stop nothing, and in how many rows: control words in questions or documents, spelled out
    as text; thinking of answers that are context, which the template leaves out."""
    facts: Facts | None = None
    """What the settings are chosen from that the project file leaves out."""
    cut: tuple[str, ...] = ()
    """Ids of examples that were too long and lost their oldest turns (train.over_long: cut)."""
    dropped: tuple[str, ...] = ()
    """Ids of examples that were too long and are not trained (train.over_long: drop)."""
    lengths: tuple[int, ...]
    """Tokens of each row, or each piece of a document; 0 where it cannot be rendered."""
    trained: tuple[int, ...]
    """Trained tokens of each row or piece."""
    samples: tuple[ShownRow, ...]
    """The first rows, for coloured display."""

    @property
    def passed(self) -> bool:
        """Whether no row has a problem."""
        return not self.problems


class _Finding(NamedTuple):
    kind: Kind
    detail: str | None = None


def check_rows(
    rows: Iterable[tuple[str, Conversation]],
    renderer: Renderer,
    max_length: int,
    system: str,
    *,
    rendered: Iterable[Sequence[Rendered]] | None = None,
    over_long: Literal["fail", "drop", "cut"] = "fail",
) -> GateReport:
    """Check (id, conversation) rows as they would be trained with the task's system prompt.

    `rendered` are the rows' tokens where they are known: one of each conversation, the pieces of a document, nothing for
    a row that is still to be rendered. `over_long` is what was tried with long rows before: it decides what a long one is
    told.
    """
    too_long: Kind = "too long to cut" if over_long == "cut" else "too long"
    found: dict[Kind, list[tuple[str, str | None]]] = {}
    lengths: list[int] = []
    trained: list[int] = []
    samples: list[ShownRow] = []
    notes = Counter[str]()
    nothing: Iterable[Sequence[Rendered]] = repeat(())
    together = zip(rows, nothing, strict=False) if rendered is None else zip(rows, rendered, strict=True)
    for (name, conversation), known in together:
        whole = with_system(conversation, system)
        made, findings = _check(whole, known, renderer)
        longest = max(len(row.ids) for row in made)
        if longest > max_length:
            findings.append(_Finding(too_long, f"{longest} tokens"))
        for finding in findings:
            found.setdefault(finding.kind, []).append((name, finding.detail))
        lengths += [len(row.ids) for row in made]
        trained += [sum(row.mask) for row in made]
        notes.update(_notes(whole, renderer))
        if not findings and _forgets(whole, renderer):
            notes["thinking in earlier answers, which the chat template leaves out"] += 1
        if len(samples) < _SHOWN and made[0].ids:
            samples.append(ShownRow(id=name, segments=tuple(_segments(made[0], renderer))))
    return GateReport(
        rows=len(lengths),
        problems=tuple(_summed(kind, hits) for kind, hits in found.items()),
        notes=dict(notes),
        lengths=tuple(lengths),
        trained=tuple(trained),
        samples=tuple(samples),
    )


def check_answers(examples: Sequence[Example], constraint: Constraint) -> tuple[RowProblem, ...]:
    """The problem of expected answers that an answer held to the schema could not be, where there are any."""
    asked = (example for example in examples if example.desirable and not example.is_document)
    faults = ((example.id, _fault(example, constraint)) for example in asked)
    barred = [(name, fault) for name, fault in faults if fault is not None]
    return (_summed("answer barred", barred),) if barred else ()


def _fault(example: Example, constraint: Constraint) -> str | None:
    if example.messages[-1].tool_calls:
        return "it calls a tool, and what is held to the schema can call none"
    return constraint.fault(example.expected)


def check_asked(
    examples: Sequence[Example], renderer: Renderer, system: str, longest_answer: int, positions: int | None
) -> list[Problem]:
    """The problems of examples that cannot be asked with the task's system prompt: the template refuses the prompt, or the
    call that answers it, or the prompt leaves no room for the answer among as many tokens as the base takes (`positions`;
    none: any number).

    Of an answer, `longest_answer` tokens are drawn at most.
    """
    refused: list[tuple[Example, str]] = []
    long: list[tuple[Example, int]] = []
    for example in examples:
        try:
            tokens = len(renderer.prompt(with_system(example.prompt, system)))
            answer = _answer_tokens(example, renderer, system)
        except ModelError as error:
            refused.append((example, error.message.rstrip(".")))
            continue
        tokens += min(answer, longest_answer)
        if positions is not None and tokens > positions:
            long.append((example, tokens))
    problems = []
    if refused:
        message = f"{len(refused)} examples of suites cannot be asked ({refused[0][1]})."
        problems.append(
            Problem(message, _places(example for example, _ in refused), _WORDS["template refuses"][1])
        )
    if long:
        message = (
            f"{len(long)} examples of suites cannot be asked: with room for its answer the longest has"
            f" {max(tokens for _, tokens in long):,} tokens, and the base takes {positions:,}."
        )
        fix = (
            "Shorten them or leave them out (in the recipe, {op: max_chars, chars: …} drops long rows), or choose a base"
            " that takes more."
        )
        problems.append(Problem(message, _places(example for example, _ in long), fix))
    return problems


def _answer_tokens(example: Example, renderer: Renderer, system: str) -> int:
    """Tokens of the expected answer and its end, a call's as the template writes it. Raises ModelError where it refuses."""
    if example.messages[-1].tool_calls:
        return sum(renderer.training(last_answer_trained(with_system(example.messages, system))).mask)
    return len(renderer.document(example.expected).ids) - len(renderer.begin_ids)


def _places(examples: Iterable[Example]) -> str:
    """Where the first of these came from."""
    return ", ".join(example.place for example in islice(examples, 3))


def unseen_words(words: Sequence[str], renderer: Renderer, trees: Iterable[Tree]) -> list[Problem]:
    """The problem of new words that stand in no training row: nothing would teach their embeddings."""
    ids = dict(zip(renderer.tokenizer.convert_tokens_to_ids(list(words)), words, strict=True))
    seen = {token for tree in trees for row in tree.rows for token in row.ids if token in ids}
    unseen = [word for token, word in ids.items() if token not in seen]
    if not unseen:
        return []
    message = f"{len(unseen)} of {len(words)} new words stand in no training row, {unseen[0]!r} among them"
    fix = "Take them out, or write them as the rows do: letter for letter, not as a part of a longer word."
    return [Problem(message, where="train.adapter.new_words", fix=fix)]


def _summed(kind: Kind, hits: Sequence[tuple[str, str | None]]) -> RowProblem:
    return RowProblem(
        kind=kind, rows=len(hits), ids=tuple(name for name, _ in hits[:_NAMED]), detail=hits[0][1]
    )


def _notes(row: Conversation, renderer: Renderer) -> Iterator[str]:
    if is_document(row):
        asked, where = row, "documents"
    else:
        asked, where = tuple(message for message in row if message.role != "assistant"), "questions"
    if any(renderer.control_words(message.content) for message in asked):
        yield f"control words in {where}, spelled out as text"


def _forgets(row: Conversation, renderer: Renderer) -> bool:
    """Whether the template leaves out the thinking of an answer that is context alone."""
    answers = (message for message in row if message.role == "assistant" and message.weight == 0)
    thoughts = list(filter(None, (thought(message.content) for message in answers)))
    if not thoughts:
        return False
    said, text = "\n".join(message.content for message in row), renderer.text(row)
    return any(text.count(each) < said.count(each) for each in thoughts)


def _check(
    row: Conversation, known: Sequence[Rendered], renderer: Renderer
) -> tuple[Sequence[Rendered], list[_Finding]]:
    """The row's tokens, a document's in pieces, and everything wrong with them but their number."""
    if is_document(row):
        text = row[0].content
        pieces = known or [renderer.document(text)]
        return pieces, list(_document_findings(text, pieces, renderer))
    try:
        rendered = known[0] if known else renderer.training(row)
        missing = left_out(row, renderer)
        unseen = [_Finding("tools unseen", missing)] if missing else []
        findings = unseen or list(_findings(row, rendered, renderer))
    except UnseenError as error:
        return [Rendered([], [])], [_Finding("tools unseen", error.message.rstrip("."))]
    except ThinkingError:
        return [Rendered([], [])], [_Finding("thinking")]
    except ServedOtherwiseError as error:
        return [Rendered([], [])], [_Finding("answer differs" if error.last else "prompt differs")]
    except ModelError as error:
        return [Rendered([], [])], [_Finding("template refuses", error.message)]
    return [rendered], findings


def _document_findings(text: str, pieces: Sequence[Rendered], renderer: Renderer) -> Iterator[_Finding]:
    """What is wrong with the pieces of a document, each of which begins with the last token of the one before it."""
    joined = all(before.ids[-1:] == after.ids[:1] for before, after in pairwise(pieces))
    if not joined or not all(piece.mask[1:] and all(piece.mask[1:]) for piece in pieces):
        yield _Finding("untrained text")
    first, *rest = pieces
    ids = [*first.ids, *(token for piece in rest for token in piece.ids[1:])]
    begin = bos.at_head(ids, renderer)
    if bos.doubled(ids, renderer):
        yield _Finding("doubled BOS")
    if not ids or ids[-1] not in renderer.stop_ids:
        yield _Finding("no end of text")
    if any(token in renderer.control_ids for token in ids[begin:-1]):
        yield _Finding("control token in text")
    said, wanted = _normal(renderer.decode(ids[begin:])), _normal(text)
    if said != wanted:
        at = next((at for at, (a, b) in enumerate(zip(said, wanted, strict=False)) if a != b), len(said))
        here = slice(max(0, at - 20), at + 20)
        yield _Finding("text changed", f"{wanted[here]!r} becomes {said[here]!r}")


def _findings(row: Conversation, rendered: Rendered, renderer: Renderer) -> Iterator[_Finding]:
    ids, mask = rendered
    if not any(mask[1:]):
        yield _Finding("nothing trained")
    if bos.doubled(ids, renderer):
        yield _Finding("doubled BOS")
    if any(renderer.control_words(message.said) for message in row if message.role == "assistant"):
        yield _Finding("control token in answer")
    spans = list(_spans(mask))
    answers = [
        (index, message)
        for index, message in enumerate(row)
        if message.role == "assistant" and message.weight != 0
    ]
    if len(spans) != len(answers):
        yield _Finding("mask wrong", f"{len(spans)} trained parts for {len(answers)} answers")
        return
    for (begin, end), (index, message) in zip(spans, answers, strict=True):
        yield from _answer_findings(ids, begin, end, row[:index], message, renderer)


def _answer_findings(
    ids: list[int], begin: int, end: int, before: Conversation, message: Message, renderer: Renderer
) -> Iterator[_Finding]:
    """What is wrong with one trained part ids[begin:end], which should be `message` after the prompt `before`."""
    prompt = renderer.prompt(before)
    if ids[: len(prompt)] != prompt:
        yield _Finding("prompt differs")
    elif begin != len(prompt):
        yield _Finding("mask wrong", f"trained from token {begin}, the answer begins at {len(prompt)}")
    if ids[end - 1] not in renderer.stop_ids:
        yield _Finding("no end of turn")
    said, wanted = renderer.decode(ids[begin:end]), renderer.said(message.content)
    if thinks(wanted) and not thinks(said):
        yield _Finding("thinking left out")
        return
    if message.tool_calls:
        yield from _call_findings(ids[begin : end - 1], said, before, message, renderer)
        return
    if any(token in renderer.control_ids for token in ids[begin : end - 1]):
        yield _Finding("mask wrong", "a control token inside the answer")
    if _normal(said) != _normal(wanted):
        yield _Finding("answer changed", f"{message.content[:40]!r} becomes {said[:40]!r}")


def _call_findings(
    inside: list[int], said: str, before: Conversation, message: Message, renderer: Renderer
) -> Iterator[_Finding]:
    """What is wrong with a trained part that calls tools, the tokens `inside` without the last.

    It is to be what the template adds to the prompt, up to the end of turn, and to hold the text and every call's name. The
    template may write control tokens around calls, but none that ends the answer before its end.
    """
    if any(token in renderer.stop_ids for token in inside):
        yield _Finding("mask wrong", "an end of turn inside the answer")
    head, whole = renderer.text(before, answering=True), renderer.text((*before, message))
    added = whole.removeprefix(head)
    wanted = added[: added.rfind(renderer.end_word)]
    parts = (_normal(renderer.said(message.content)), *(call.function.name for call in message.tool_calls))
    if _normal(said) != _normal(wanted) or not all(part in _normal(said) for part in parts):
        yield _Finding("answer changed", f"{message.said[:40]!r} becomes {said[:40]!r}")


def _normal(text: str) -> str:
    """Text without what templates and tokenizers may change: outer blanks, and the way accents are composed."""
    return unicodedata.normalize("NFC", text).strip()


def _spans(mask: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The runs of ones as (begin, end)."""
    begin = None
    for index, on in enumerate([*mask, 0]):
        if on and begin is None:
            begin = index
        elif not on and begin is not None:
            yield begin, index
            begin = None


def _segments(rendered: Rendered, renderer: Renderer) -> Iterator[Segment]:
    """The row as text, cut where training begins and ends."""
    ids, mask = rendered
    begin = 0
    for index in range(1, len(ids) + 1):
        if index == len(ids) or mask[index] != mask[begin]:
            text = renderer.tokenizer.decode(ids[begin:index], skip_special_tokens=False)
            yield Segment(text, bool(mask[begin]))
            begin = index
