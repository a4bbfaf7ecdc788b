"""The kinds of findings of an audit: what each is called, how bad it is, what mends it, and what it costs to look for.

docs/audit.md has them in a table; `tunewright data audit --only` takes their names.
"""

from typing import TYPE_CHECKING, Literal, NamedTuple

if TYPE_CHECKING:
    from tunewright.data.audit.audit import Severity

Cost = Literal["told", "read", "compared", "personal", "near", "close", "tokens", "languages"]
"""What is looked at together: `told` without a look at any row, `read` in one reading of them, `compared` by hashes of what
rows ask and answer; the others each take time of their own."""


class Known(NamedTuple):
    """A kind of finding."""

    severity: "Severity"
    title: str
    """What it is called, for people."""
    mend: str
    """What mends it, in words."""
    recipe: str = ""
    """The operation that mends it, as a line for the recipe; none where no operation does."""
    cost: Cost = "read"


_COMPLETE = "Write these answers whole in the source, or leave the rows out."
_LABELS = "Add rows with these values to the source."
_WITHOUT_LOST = r"""{op: filter, keep: '"\ufffd" not in input and "\ufffd" not in expected'}"""
_WITHOUT_NOTHINGS = (
    """{op: filter, keep: 'expected.replace("_", " ") | wordcount > 0 and expected.split() | join(" ") | lower not in"""
    """ ["n/a", "nan", "null", "nil", "tbd", "todo", "undefined"]'}"""
)
_WITHOUT_ADDRESSES = (
    """{op: filter, keep: 'not input or ((" " ~ input.split() | join(" ")) | replace(" https://", " http://")"""
    """ | replace(" www.", " http://")).count(" http://") < input.split() | length'}"""
)
_KEEP = "Nothing, if it is meant so."

KINDS: dict[str, Known] = {
    # what no training should begin with
    "leak": Known(
        "error",
        "Test rows that training shows",
        "Leave `column` out of the split, so that equal inputs stay in one part.",
        cost="compared",
    ),
    "duplicate_across": Known(
        "error",
        "Equal rows in several parts",
        "Drop duplicates before the split.",
        "{op: drop_duplicates}",
        cost="compared",
    ),
    "refused_row": Known(
        "error", "Rows that the gate before training refuses", "See the message.", cost="tokens"
    ),
    "secret": Known(
        "error",
        "Keys, tokens, passwords",
        "Replace them by placeholders, and make the keys invalid.",
        "{op: redact, kinds: [secret]}",
        "personal",
    ),
    "broken_json": Known(
        "error", "Answers that are broken JSON", "Mend them in the source, or leave the rows out."
    ),
    "off_schema": Known(
        "error", "Answers that the schema does not allow", "Mend them in the source, or leave the rows out."
    ),
    "equal_pair": Known(
        "error",
        "Pairs of one and the same answer",
        "Leave them out: they teach nothing.",
        "{op: filter, keep: 'rejected is none or (rejected | lower).split() != (expected | lower).split()'}",
    ),
    "constant_answer": Known(
        "error", "One answer for nearly all rows", "Add rows with other answers to the source."
    ),
    # what is likely to hurt
    "set_aside": Known(
        "warning",
        "Rows that cannot be used",
        "Mend them in the source, or say how its rows are read (`columns`, `form`): no other finding is about them.",
        cost="told",
    ),
    "near_leak": Known(
        "warning",
        "Test rows that training nearly shows",
        "Drop near duplicates before the split.",
        "{op: drop_near_duplicates}",
        "close",
    ),
    "personal_data": Known(
        "warning", "Personal data", "Replace them by placeholders.", "{op: redact}", "personal"
    ),
    "contradiction": Known(
        "warning",
        "Equal questions, different answers",
        "Drop them, or mend them in the source.",
        "{op: drop_contradictions}",
        cost="compared",
    ),
    "duplicate": Known(
        "warning", "Equal rows", "Drop all but the first.", "{op: drop_duplicates}", cost="compared"
    ),
    "near_duplicate": Known(
        "warning", "Nearly equal rows", "Keep the best of each group.", "{op: drop_near_duplicates}", "near"
    ),
    "few_rows": Known("warning", "Too few rows", "Add rows to the source.", cost="told"),
    "trivial_answer": Known(
        "warning",
        "Answers of nothing",
        "Answer these rows, or leave them out.",
        _WITHOUT_NOTHINGS,
        "compared",
    ),
    "placeholder_answer": Known("warning", "Answers that stand for another", _COMPLETE),
    "echo_answer": Known(
        "warning",
        "Answers that repeat the question",
        "Leave them out.",
        "{op: filter, keep: '(expected | lower).split() != (input | lower).split()'}",
    ),
    "cut_answer": Known("warning", "Answers that break off", _COMPLETE, "{op: quality, drop: [cut]}"),
    "refusal": Known(
        "warning",
        "Answers that refuse",
        "Leave out those that should not refuse.",
        "{op: quality, drop: [refusal]}",
    ),
    "label_in_input": Known(
        "warning", "Questions that hold their answer", "Take the answer out of the question in the source."
    ),
    "role_order": Known(
        "warning",
        "Turns out of order",
        "Mend the conversations in the source: questions and answers take turns. See them:"
        " `tunewright data review --finding role_order`.",
    ),
    "system_twins": Known(
        "warning",
        "System prompts that hardly differ",
        "Write one of them everywhere, or leave it to task.system.",
    ),
    "control_word": Known(
        "warning",
        "Control words of chat templates in the text",
        "Take the template out of the rows: they hold messages, not prompts.",
    ),
    "flattened_chat": Known(
        "warning",
        "Whole conversations in one turn",
        "Read them as conversations: `form:` of the source (docs/importing.md).",
    ),
    "mojibake": Known(
        "warning", "Text in a misread encoding", "Mend it.", "{op: clean, repairs: [encoding]}"
    ),
    "lost_sign": Known(
        "warning",
        "Characters that were lost",
        "Read the source in its own encoding (`encoding:`), or leave the rows out.",
        _WITHOUT_LOST,
    ),
    "hidden_sign": Known(
        "warning", "Characters that nobody sees", "Take them out.", "{op: clean, repairs: [controls]}"
    ),
    "mixed_types": Known("warning", "JSON fields of several types", "Give the field one type in the source."),
    "label_twin": Known("warning", "Labels spelt in several ways", "Write them in one way.", cost="compared"),
    "unseen_label": Known("warning", "Labels without training rows", _LABELS, cost="compared"),
    "imbalance": Known(
        "warning",
        "One label for most rows",
        "Add rows with the others, or thin it out, unless what will be asked is as uneven.",
        "{op: balance, ratio: 10}",
        cost="compared",
    ),
    "answer_language": Known(
        "warning", "Answers in another language than the question", _COMPLETE, cost="languages"
    ),
    "over_length": Known(
        "warning",
        "Rows that are too long",
        "Drop them, raise train.max_length, or set train.over_long: cut.",
        cost="tokens",
    ),
    # what is worth knowing
    "few_test_rows": Known(
        "info", "Few test rows", "Add rows to the source: a verdict needs them.", cost="told"
    ),
    "longer_chosen": Known("info", "Better answers that are the longer ones", _KEEP),
    "template_left": Known("info", "Blanks that nobody filled in", "Fill them in, or leave the rows out."),
    "html": Known(
        "info",
        "Left-overs of HTML",
        "Take them out, unless HTML is the topic.",
        "{op: clean, repairs: [html]}",
    ),
    "mixed_script": Known("info", "Words of two alphabets", "Write them in one alphabet in the source."),
    "url_only": Known(
        "info",
        "Questions that are only an address",
        "Put what stands there into the row, or leave it out.",
        _WITHOUT_ADDRESSES,
    ),
    "outer_blank": Known(
        "info",
        "Answers with blanks around them",
        "Trim them.",
        "{op: map, set: {expected: '{{ expected | trim }}'}}",
    ),
    "number_as_text": Known("info", "Numbers written as JSON texts", _KEEP),
    "rare_label": Known("info", "Labels of few rows", _LABELS, cost="compared"),
    "other_language": Known(
        "info",
        "Rows in another language",
        "Leave them out, or add more of them.",
        "{op: language, keep: [en]}",
        "languages",
    ),
    "long_row": Known(
        "info", "Rows much longer than the others", "Look at them; drop them, if they do not belong here."
    ),
    "unlike_row": Known(
        "info",
        "Rows most unlike the others",
        "Look at them, `tunewright data review --finding unlike_row`, and drop those that do not belong here.",
    ),
    "split": Known(
        "info",
        "How rows were shared out",
        "Leave these settings of `split:` out to share rows out by chance.",
        cost="told",
    ),
    "reviewed": Known(
        "info", "What people reviewed", "Review more rows: `tunewright data review`.", cost="told"
    ),
    "written": Known(
        "info",
        "What was written by rules and teachers",
        "Look at some: `tunewright data preview`.",
        cost="told",
    ),
    "replaced": Known(
        "info", "What the recipe replaced", "Leave the operation out, if these are wanted.", cost="told"
    ),
    "dropped": Known(
        "info", "What the recipe dropped", "Leave the operation out, if its rows are wanted.", cost="told"
    ),
}
"""By name, the worst first."""


def costs(kinds: frozenset[str] | None) -> frozenset[Cost]:
    """What has to be looked at to find these kinds (all of them without any)."""
    return frozenset(known.cost for kind, known in KINDS.items() if kinds is None or kind in kinds)
