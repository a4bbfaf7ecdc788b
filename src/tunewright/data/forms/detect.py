"""Which form rows have, told from their keys and from whether they convert. What fits two forms is never guessed."""

from collections.abc import Iterable, Mapping
from itertools import islice
from typing import Any, NamedTuple

from tunewright.core.errors import DataError
from tunewright.data.forms.presets import PRESETS
from tunewright.data.forms.spec import FormSpec
from tunewright.data.names import listed
from tunewright.data.rows import BadRow
from tunewright.data.thinking import Thoughts

LOOKED_AT = 100
"""Rows that are looked at, from the first."""
ENOUGH = 0.9
"""The share of them that must convert."""
_LEFT_OUT = frozenset(
    (
        *("llamafactory.alpaca", "llamafactory.sharegpt", "llamafactory.openai", "alpaca_w_system", "mlx"),
        *(
            "passthrough",
            "pygmalion",
            "dpo.nectar",
            "context_qa.load_404",
            "stepwise",
            "prompt_only",
        ),
    )
)
"""Forms that only their user can choose: the same keys as another's, stricter, or with a setting that must be given."""
_PAIR = {"chosen": "chosen", "rejected": "rejected"}
_CANDIDATES = [
    *(FormSpec(name=name) for name in PRESETS if name not in _LEFT_OUT),
    *(FormSpec(name=name, keys=_PAIR) for name in ("alpaca", "sharegpt")),
    *(
        FormSpec(name=name, keys={"rating": key})
        for name in ("alpaca", "sharegpt", "openai")
        for key in ("kto_tag", "label")
    ),
]
_TELLING = ("kto_tag", "chosen", "rejected", "chosen_response", "rejected_response", "history", "tools")
"""Keys that change what a row teaches: a form that leaves one unread is not taken for the rows'."""

Row = Mapping[str, Any]


class Detected(NamedTuple):
    """The form that rows have."""

    spec: FormSpec
    reason: str
    """What speaks for it."""
    confidence: float
    """The share of the rows looked at that convert by it."""

    @property
    def said(self) -> str:
        """The reason, and how sure it is."""
        return f"{self.reason} ({self.confidence:.0%} sure)"


class _Fit(NamedTuple):
    spec: FormSpec
    made: list[dict[str, Any] | None]
    """What the rows become, nothing where one does not convert."""
    keys: list[str]
    """The rows' keys that it reads, in their order."""
    refusal: str
    """Why the first row that does not convert does not."""

    @property
    def share(self) -> float:
        return sum(each is not None for each in self.made) / len(self.made)

    @property
    def shown(self) -> str:
        """The form as the project file would have it."""
        keys = ", ".join(f"{part}: {key}" for part, key in self.spec.keys.items())
        return f"{{name: {self.spec.name}, keys: {{{keys}}}}}" if keys else self.spec.name

    @property
    def reason(self) -> str:
        rows = f"{sum(each is not None for each in self.made)} of {len(self.made)} rows"
        return f"{PRESETS[self.spec.name].title}: {rows} have {listed(self.keys)}"


def detect(rows: Iterable[Row]) -> Detected:
    """The form of the first rows. Raises DataError where none fits, or several that would make different rows of them."""
    head = list(islice(rows, LOOKED_AT))
    if not head:
        raise DataError("there is no row to tell a form by")
    tried = [_fit(spec, head) for spec in _CANDIDATES if _has_needed(spec, head)]
    fits = [fit for fit in tried if fit.share >= ENOUGH]
    unread = [key for key in _TELLING if any(row.get(key) for row in head)]
    fits = [fit for fit in fits if all(key in fit.keys for key in unread)]
    if not fits:
        raise _none(head, tried, unread)
    most = {key for fit in fits for key in fit.keys}
    chosen = _distinct([fit for fit in fits if set(fit.keys) == most] or fits)
    if len(chosen) > 1:
        told = "; ".join(f"`{fit.shown}` ({fit.reason})" for fit in chosen)
        raise DataError(
            f"the rows fit {len(chosen)} forms, which read them differently: {told}",
            fix=f"Set form: for the source, to {' or '.join(fit.shown for fit in chosen)}.",
        )
    best = chosen[0]
    return Detected(best.spec, best.reason, best.share)


def _none(head: list[Row], tried: list[_Fit], unread: list[str]) -> DataError:
    """Why no form fits: the nearest one's reason."""
    nearest = max(tried, key=lambda fit: fit.share, default=None)
    why = ""
    if nearest is not None and nearest.share >= ENOUGH:
        left = [key for key in unread if key not in nearest.keys]
        why = f"; the nearest, {nearest.shown}, leaves {listed(left)} unread"
    elif nearest is not None and nearest.refusal:
        why = f"; the nearest is {nearest.shown}, and {nearest.refusal}"
    else:
        why = _told(head)
    return DataError(
        f"the rows are of no known form; the first has {listed(head[0])}{why}",
        fix="Set form: {name: …, keys: {…}} for the source: the nearest form, and the keys that differ.",
    )


def _told(head: list[Row]) -> str:
    """What rows hold that no form takes unasked: why TRL's does not, and the forms that only their user can choose."""
    refusal = _fit(FormSpec(name="trl"), head).refusal
    said = [] if refusal.startswith("missing column") else [refusal]
    forms = [
        name
        for name in PRESETS
        if name in _LEFT_OUT and name not in refusal and _has_needed(FormSpec(name=name), head)
    ]
    if forms:
        said.append(f"forms with such keys, which only their user can choose: {listed(forms)}")
    return "".join(f"; {each}" for each in said)


def _fit(spec: FormSpec, head: list[Row]) -> _Fit:
    from tunewright.data.forms._reading import reader_of
    from tunewright.data.sources.chat import talk

    read = reader_of(spec)
    made: list[dict[str, Any] | None] = []
    keys: dict[str, None] = {}
    refusal = ""
    for row in head:
        try:
            found = read(row, Thoughts("drop"))  # whatever the user will say of it, the form is the same
            if "messages" in found.row:
                talk(found.row, {})
        except BadRow as bad:
            made.append(None)
            refusal = refusal or str(bad)
        else:
            made.append(found.row)
            keys |= dict.fromkeys(key for key in row if key in found.read and row[key] is not None)
    return _Fit(spec, made, list(keys), refusal)


def _has_needed(spec: FormSpec, head: list[Row]) -> bool:
    """Whether enough rows have the keys that rows of the form have."""
    form, needs = spec.form(), PRESETS[spec.name].needs
    keys = [[form.keys.get(part, "") for part in parts.split("|")] for parts in needs]
    keys += [[key] for key in spec.keys.values()]
    if "chosen" in spec.keys:  # a pair has its answer there
        keys = [each for each in keys if each != [form.keys.get("output")]]
    if spec.keys.get("rating") == "label" and not any(isinstance(row.get("label"), bool) for row in head):
        return False  # a label of another kind may be a category
    having = sum(all(any(row.get(key) is not None for key in each) for each in keys) for row in head)
    return having >= ENOUGH * len(head)


def _distinct(fits: list[_Fit]) -> list[_Fit]:
    """The fits without those that make the same rows as one before them."""
    kept: list[_Fit] = []
    for fit in fits:
        if all(_carried(fit) != _carried(other) for other in kept):
            kept.append(fit)
    return kept


def _carried(fit: _Fit) -> list[dict[str, Any] | None]:
    """What is trained of the rows; fields aside."""
    names = ("text", "messages", "tools", "rejected", "label")
    return [None if row is None else {key: row[key] for key in names if key in row} for row in fit.made]
