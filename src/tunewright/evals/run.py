"""Running an eval: a generator answers a suite, graders score the replies, and a scorecard comes out.

    card, seconds = evaluate(generator, "prompt", suite, Decoding(), work=folder)

Replies go to work/replies.jsonl batch by batch. The batches hang on the suite alone, so a run that was cut off and goes
on asks the same batches, and ends with the same scorecard, bit for bit.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tunewright.core.events import Emit, silent
from tunewright.core.example import Example
from tunewright.core.generation import Decoding, Generator, Reply
from tunewright.core.grading import Score
from tunewright.core.hashing import hash_value
from tunewright.evals.replies import ReplyLog
from tunewright.evals.scorecard import Scorecard, ScoredReply
from tunewright.evals.suite import Suite

BATCH = 64
"""Examples asked at once. What a kill can lose."""
LOG = "replies.jsonl"


class Evaluation(NamedTuple):
    """A scorecard, and what was measured beside it."""

    scorecard: Scorecard
    timings: list[float]
    """Wall seconds of each reply, in example order."""


def evaluate(
    generator: Generator,
    variant_name: str,
    suite: Suite,
    decoding: Decoding,
    *,
    work: Path,
    emit: Emit = silent,
) -> Evaluation:
    """Ask, score and count; goes on from work/replies.jsonl where that answers the same questions.

    A failed reply is scored 0. `work` must be a folder of this variant and suite alone. Emits eval.reply for each reply.
    """
    batches = cut_suite(suite.examples)
    log = ReplyLog(work / LOG, _key(variant_name, suite, decoding), [len(batch) for batch in batches])
    tally = _Tally(variant_name, suite, emit)
    for batch, kept in zip(batches, log.kept, strict=False):
        tally.resume(batch, kept)
    for batch in batches[len(log.kept) :]:
        log.append(_ask(generator, suite, batch, decoding, tally))
    return tally.evaluation()


def cut_suite(examples: Sequence[Example]) -> list[list[int]]:
    """Indices in batches of BATCH, examples of like length together."""
    order = sorted(range(len(examples)), key=lambda index: (_length(examples[index]), index))
    return [order[start : start + BATCH] for start in range(0, len(order), BATCH)]


def _ask(
    generator: Generator, suite: Suite, batch: Sequence[int], decoding: Decoding, tally: "_Tally"
) -> list[Reply]:
    prompts = [suite.examples[index].prompt for index in batch]
    replies = generator.generate(
        prompts, decoding, lambda place, reply: tally.add(batch[place], _writable(reply))
    )
    for index, reply in zip(batch, replies, strict=True):
        tally.add(index, _writable(reply))
    return [tally.replies[index] for index in batch]


class _Tally:
    """Replies and scores so far."""

    def __init__(self, variant: str, suite: Suite, emit: Emit) -> None:
        self._variant, self._suite, self._emit = variant, suite, emit
        self.replies: dict[int, Reply] = {}
        self._scores: dict[int, dict[str, Score]] = {}
        self._sum = 0.0

    def add(self, index: int, reply: Reply) -> None:
        """Score one reply and tell of it; a second telling of the same is passed over."""
        if index not in self.replies:
            self._take(index, reply)
            self._tell()

    def resume(self, batch: Sequence[int], kept: Sequence[Reply]) -> None:
        """Take a batch that was answered before."""
        for index, reply in zip(batch, kept, strict=True):
            self._take(index, reply)
        self._tell()

    def evaluation(self) -> Evaluation:
        """All of it, in example order."""
        suite, order = self._suite, range(len(self._suite.examples))
        card = Scorecard(
            variant=self._variant,
            suite=suite.name,
            graders=suite.grader_names,
            replies=tuple(self._scored(index) for index in order),
        )
        return Evaluation(card, [self.replies[index].latency_s for index in order])

    def _take(self, index: int, reply: Reply) -> None:
        self.replies[index] = reply
        self._scores[index] = _score(self._suite, self._suite.examples[index], reply)
        self._sum += self._scores[index][self._suite.grader_names[0]].value

    def _tell(self) -> None:
        done = len(self.replies)
        self._emit(
            "eval.reply",
            variant=self._variant,
            suite=self._suite.name,
            done=done,
            total=len(self._suite.examples),
            mean=round(self._sum / done, 4),
        )

    def _scored(self, index: int) -> ScoredReply:
        example, reply = self._suite.examples[index], self.replies[index]
        return ScoredReply(
            example=example.id,
            text=reply.text,
            finish=reply.finish,
            error=reply.error,
            tokens_in=reply.tokens_in,
            tokens_out=reply.tokens_out,
            scores=self._scores[index],
            slices=self._suite.slices_of(example),
        )


def _score(suite: Suite, example: Example, reply: Reply) -> dict[str, Score]:
    if reply.finish == "error":
        return dict.fromkeys(suite.grader_names, Score(0.0, f"no reply: {reply.error}"))
    graders = suite.graders_for(example)
    return {
        name: grader.grade(example, reply.text)
        for name, grader in zip(suite.grader_names, graders, strict=True)
    }


def _key(variant: str, suite: Suite, decoding: Decoding) -> str:
    """Names the questions: who is asked what, and how."""
    return hash_value([variant, suite.name, [example.id for example in suite.examples], decoding, BATCH])


def _length(example: Example) -> int:
    return sum(message.chars for message in example.prompt)


def _writable(reply: Reply) -> Reply:
    """The reply with lone surrogates, which UTF-8 has no form for, escaped."""
    return reply._replace(
        text=_encodable(reply.text), error=None if reply.error is None else _encodable(reply.error)
    )


def _encodable(text: str) -> str:
    return text.encode("utf-8", "backslashreplace").decode("utf-8")
