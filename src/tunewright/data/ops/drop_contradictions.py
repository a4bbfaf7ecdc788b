"""drop_contradictions: rows with the same prompt, system message and all, that answer differently all go."""

from collections import defaultdict

from tunewright.core.example import Example
from tunewright.data.normal import normal_text, prompt_key
from tunewright.data.ops.applied import Applied, keep_if
from tunewright.data.spec import DropContradictions


def apply(spec: DropContradictions, examples: list[Example]) -> Applied:
    """Drop every row whose normalised prompt has more than one normalised answer."""
    keys = {id(example): prompt_key(example) for example in examples}
    answers: dict[str, set[str]] = defaultdict(set)
    for example in examples:
        if not example.desirable:
            continue  # a bad answer beside a good one is what ratings are for
        answers[keys[id(example)]].add(normal_text(example.expected))

    def why_not(example: Example) -> str | None:
        different = len(answers[keys[id(example)]])
        return f"its prompt has {different} different answers" if different > 1 else None

    return keep_if(examples, why_not)
