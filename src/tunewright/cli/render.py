"""What the terminal shows, with hidden characters written out. rich lives only here."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Literal

from rich.console import Console
from rich.markup import escape
from rich.padding import Padding
from rich.progress import BarColumn, Progress, ProgressColumn, SpinnerColumn, Task, TextColumn
from rich.table import Table
from rich.text import Text

from tunewright.core.duration import duration
from tunewright.core.errors import Problem
from tunewright.core.events import Event
from tunewright.core.hidden import visible
from tunewright.decide.phrase import count, money, seconds

if TYPE_CHECKING:
    from tunewright.decide.cost import LatencySummary  # it brings numpy
    from tunewright.decide.verdict import Verdict

out = Console(highlight=False)
err = Console(stderr=True, highlight=False)
_WARNINGS = (
    "ingest.warning",
    "workers.died",
    "teacher.said",
    "train.trouble",
    "train.discarded",
    "train.warning",
)
"""Events whose words are shown as a warning."""


class Watcher:
    """Shows a run's events: a bar for the step at work, a line for each step done."""

    def __init__(self, console: Console = err) -> None:
        self._console = console
        self._progress = Progress(
            SpinnerColumn(),
            TextColumn("[bold]{task.fields[step]:<9}[/]"),
            BarColumn(bar_width=24),
            _Fraction(),
            TextColumn("{task.description}"),
            console=console,
            transient=True,
        )
        self._task: Any = None
        self._said: dict[str, str] = {}
        self._last_plain = 0.0

    def __call__(self, event: Event) -> None:
        """Take one event in."""
        kind, data = event.kind, event.data
        if kind == "step.start":
            self._task = self._progress.add_task(data["title"], total=None, step=data["step"])
            if not self._console.is_terminal:
                self._console.print(f"  {data['step']:<9} {data['title']} …")
        elif kind == "step.fresh":
            self._console.print(f"[green]✓[/] {data['step']:<9} [dim]fresh[/]")
        elif kind in _WARNINGS:
            self._console.print(f"[yellow]warning: {_plain(data['words'])}[/]")
        elif kind == "check.leaks":
            words = f"  comparing {data['rows']:,} training rows with the suites' files ({', '.join(data['suites'])}) …"
            self._console.print(_plain(words))
        elif kind == "teacher.begins":
            key = f", with the key in {data['key_env']}" if data["key_env"] else ""
            words = f"  {data['teacher']}: asking {data['model']} at {data['url']}{key}"
            self._console.print(_plain(words))
        elif kind == "train.sink_failed":
            words = f"warning: {data['sink']} fails ({data['error']}); training goes on"
            self._console.print(f"[yellow]{_plain(words)}[/]")
        elif kind in ("step.done", "step.failed"):
            self._close(kind, data)
        else:
            self._advance(event)

    def start(self) -> None:
        """Begin to draw."""
        if self._console.is_terminal:
            self._progress.start()

    def stop(self) -> None:
        """Stop drawing."""
        if self._console.is_terminal:
            self._progress.stop()

    def _close(self, kind: str, data: dict[str, Any]) -> None:
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        if kind == "step.done":
            said = "; ".join(text for key, text in self._said.items() if key != "train")
            self._console.print(
                f"[green]✓[/] {data['step']:<9} {data['seconds']:>6.1f} s  [dim]{_plain(said)}[/]"
            )
        else:
            self._console.print(f"[red]✗[/] {data['step']:<9} {data['status']}")
        self._said = {}

    def _advance(self, event: Event) -> None:
        line = _sentence(event.kind, event.data)
        if line is None or self._task is None:
            return
        key, text, done, total = line
        self._said[key] = text
        self._progress.update(self._task, description=_plain(text), completed=done, total=total)
        if not self._console.is_terminal and event.time - self._last_plain > 10:
            self._last_plain = event.time
            share = f" {done}/{total}" if total else ""
            self._console.print(f"            {_plain(text)}{share}")


def _operation(data: dict[str, Any]) -> str:
    """What an operation of the recipe did."""
    done = [
        f"{word} {data[word]:,}{of}"
        for word, of in (("dropped", f" of {data['rows_in']:,}"), ("changed", ""), ("added", ""))
        if data[word]
    ]
    if data.get("given_up"):
        done.append(f"gave up {data['given_up']:,} new rows (given_up.jsonl says why)")
    if data.get("told"):
        done.append(f"told of {data['told']:,} rows (told.jsonl)")
    return f"{data['id']} {', '.join(done) or 'changed nothing'}{tallied(data.get('tally', {}))}"


def tallied(tally: Mapping[str, int]) -> str:
    """What was counted in the rows, after a space; nothing where nothing was."""
    return f" ({', '.join(f'{what} {number:,}' for what, number in tally.items())})" if tally else ""


def thinking_words(tally: Mapping[str, int]) -> str:
    """What became of thinking beside answers, after a comma; nothing where there was none."""
    done = {"drop": "thinking left out of", "inline": "thinking put into the text of"}
    return "".join(f", {done[how]} {number:,}" for how, number in sorted(tally.items()))


def teacher_words(data: dict[str, Any]) -> str:
    """What a teacher was asked for so far."""
    failed = f", {data['failed']:,} failed" if data["failed"] else ""
    cost = f", {data['cost']:,.4f} {data['currency']}" if data["cost"] else ""
    refused = f"; {data['refused']:,} not asked: the budget is used up" if data["refused"] else ""
    tokens = f"{data['tokens_in']:,} + {data['tokens_out']:,} tokens"
    kept = f", {data['kept']:,} of them kept from before" if data["kept"] else ""
    return f"{data['teacher']}: {count(data['calls'], 'answer')}{failed}{kept} ({tokens}{cost}){refused}"


def _sentence(kind: str, data: dict[str, Any]) -> tuple[str, str, int | None, int | None] | None:
    """What to say of an event: (what it replaces, the words, done, total)."""
    if kind == "train.step":
        words = (
            f"loss {data['loss']:.3f}, {duration(data['seconds_left'])} left, {data['tokens_per_s']:,} tokens/s"
            f" ({data['trained_tokens_per_s']:,} trained), gradient {data['grad_norm']:.2g},"
            f" {data['memory'] / 1e9:.1f} GB{_cost(data)}"
        )
        return "train", words, data["step"], data["steps"]
    if kind == "train.preflight":
        words = f"about {duration(data['seconds'])}, {data['peak'] / 1e9:.1f} GB{_cost(data)}"
        return "preflight", words, None, None
    if kind == "train.estimate":
        words = f"about {duration(data['seconds'])} in all, by {data['by_steps']} of its steps{_cost(data)}"
        return "estimate", words, None, None
    if kind == "train.reference":
        return "reference", f"{data['done']:,} rows read under the base", data["done"], data["total"]
    if kind == "train.recalled":
        return "reference", data["words"], None, None
    if kind == "train.dev":
        score = f", score {100 * data['score']:.1f} %" if "score" in data else ""
        return "dev", f"dev loss {data['loss']:.4f}{score}", None, None
    if kind == "train.strength":
        return "strength", f"strength {data['strength']:g}: dev loss {data['loss']:.4f}", None, None
    if kind == "eval.reply":
        name = f"{data['variant']} on {data['suite']}"
        return name, f"{name} {100 * data['mean']:.1f} %", data["done"], data["total"]
    if kind == "ingest.done":
        passed = f", {data['passed_over']:,} passed over" if data["passed_over"] else ""
        why = tallied(data.get("passed_over_for", {}))  # an older run did not say
        thought = thinking_words(data.get("thinking", {}))
        words = f"{data['examples']:,} examples, {data['rejects']:,} rejects{passed}{why}{thought}"
        return "ingest", words, None, None
    if kind == "split.done":
        rows = ", ".join(f"{part} {number:,}" for part, number in data["rows"].items())
        return "split", f"{rows}; {count(data['findings'], 'finding')}", None, None
    if kind == "prepare.op":
        return f"op {data['id']}", _operation(data), None, None
    if kind == "prepare.here":
        words = f"{', '.join(data['operations'])}: all rows at once, on this machine"
        return "here", words, None, None
    if kind == "prepare.done":
        return "prepare", f"{data['rows']:,} rows after {count(data['operations'], 'operation')}", None, None
    if kind == "teacher.asked":
        return f"teacher {data['teacher']}", teacher_words(data), None, None
    if kind == "gate.start":
        return "gate", f"{data['rows']:,} rows to render", None, None
    if kind == "gate.done":
        long = (
            f"; too long: {data['cut']} cut, {data['dropped']} left out"
            if data["cut"] or data["dropped"]
            else ""
        )
        return "gate", f"{data['rows']:,} rows, {data['problems']} problems{long}", None, None
    if kind == "rehearse.done":
        asked = f"{data['rows']:,} of {data['asked']:,} rows (the others were cut short or empty)"
        whole = data["rows"] == data["asked"]
        return "rehearse", f"{data['rows']:,} rows" if whole else asked, None, None
    if kind == "baselines.left_out":
        return "left_out", data["words"], None, None
    if kind == "decide.done":
        return "decide", data["outcome"], None, None
    if kind == "release.done":
        return "release", "gates passed" if data["passed"] else "held back by a gate", None, None
    return None


def _cost(data: dict[str, Any]) -> str:
    return f", {data['cost']:.2g} {data['currency']}" if "cost" in data else ""


class _Fraction(ProgressColumn):
    def render(self, task: Task) -> Text:
        """done/total where a total is known."""
        return Text(f"{int(task.completed)}/{int(task.total)}" if task.total else "")


@contextmanager
def watching() -> Iterator[Watcher]:
    """A watcher that draws while the block runs."""
    watcher = Watcher()
    watcher.start()
    try:
        yield watcher
    finally:
        watcher.stop()


def problems(found: Sequence[Problem], kind: Literal["error", "warning"] = "error") -> None:
    """Every problem, on stderr."""
    colour = {"error": "red", "warning": "yellow"}[kind]
    for problem in found:
        err.print(f"[{colour}]{kind}:[/] {_plain(str(problem))}", soft_wrap=True)


def table(headers: Sequence[str], rows: Sequence[Sequence[str]], *, right: Sequence[int] = ()) -> None:
    """A plain table on stdout; `right` are the columns set to the right."""
    drawn = Table(box=None, pad_edge=False, header_style="bold")
    for index, header in enumerate(headers):
        drawn.add_column(header, justify="right" if index in right else "left", overflow="fold")
    for row in rows:
        drawn.add_row(*[_plain(cell) for cell in row])
    out.print(drawn)


def masked_rows(samples: Sequence[Sequence[Sequence[Any]]]) -> None:
    """Rows as they will be trained: what is learnt in green, what is only read dimmed; in ⟦ ⟧ where there is no colour."""
    left, right = ("", "") if out.color_system else ("⟦", "⟧")
    for number, segments in enumerate(samples, 1):
        text = Text(f"row {number}  ", style="bold")
        for piece, trained in segments:
            said = visible(piece)
            if trained:
                text.append(f"{left}{said}{right}", style="black on green")
            else:
                text.append(said, style="dim")
        out.print(text)
        out.print()


def card(title: str, note: str, parts: Sequence[tuple[str, str, str]]) -> None:
    """A row to look at: a line with its place, why it is here, and its parts (label, text, the label's style)."""
    out.rule(Text(visible(title), style="bold"), align="left", style="dim")
    if note:
        out.print(Text(visible(note), style="yellow"))
    for label, text, style in parts:
        out.print(Text(visible(label), style=f"bold {style}".strip()))
        out.print(Padding(Text(visible(text)), (0, 0, 0, 2)))


def costs(verdict: "Verdict", latencies: "Mapping[str, LatencySummary]", currency: str) -> str | None:
    """What 1,000 requests to the fine-tune and to its best rival cost, and how long one takes; None without prices."""
    shown = [verdict.candidate, *(comparison.rival for comparison in verdict.comparisons[:1])]
    tokens = {s.variant: s.cost_per_1000 for s in verdict.variants if s.suite == verdict.suite}
    words = []
    for name in shown:
        time = latencies.get(name)
        priced = ((tokens.get(name), "tokens"), (time.per_1000 if time else None, "machine time"))
        said = [f"{money(price)} {currency} by {how}" for price, how in priced if price is not None]
        if said:
            said += [f"{seconds(time.p50)} each (median)"] if time else []
            words.append(f"{name} {', '.join(said)}")
    return f"1,000 requests: {'; '.join(words)}" if words else None


def say(text: str, style: str = "") -> None:
    """A line on stdout."""
    out.print(visible(text), style=style, markup=False, soft_wrap=True)


def _plain(text: str) -> str:
    """The text for rich's markup, where it is to stand as it is."""
    return escape(visible(text))
