"""What the verdict costs and what it was made from."""

import re
from typing import NamedTuple

from tunewright.decide.phrase import money, seconds
from tunewright.report.data import LineageNode, ReportData
from tunewright.report.tables import Table
from tunewright.report.text import clip, fact


class Link(NamedTuple):
    """An input of an artifact; `anchor` is empty when it is not on the page."""

    name: str
    anchor: str


class Node(NamedTuple):
    """One artifact as shown."""

    kind: str
    id: str
    anchor: str
    inputs: list[Link]
    facts: str
    done: str


def cost_table(data: ReportData) -> Table | None:
    """Tokens, token price and measured times by variant on the target suite; None where there is nothing to say."""
    summaries = [summary for summary in data.verdict.variants if summary.suite == data.verdict.suite]
    if not summaries:
        return None
    currency = data.prices.currency
    columns: list[tuple[str, list[str]]] = [
        ("tokens in", [f"{summary.tokens_in:,.0f}" for summary in summaries]),
        ("tokens out", [f"{summary.tokens_out:,.0f}" for summary in summaries]),
    ]
    if any(summary.cost_per_1000 is not None for summary in summaries):
        columns.append(
            (f"{currency} per 1,000, by tokens", [money(summary.cost_per_1000) for summary in summaries])
        )
    times = [data.latencies.get(summary.variant) for summary in summaries]
    if any(times):
        columns += [
            ("median", [seconds(time.p50) if time else "–" for time in times]),
            ("95 % within", [seconds(time.p95) if time else "–" for time in times]),
            ("requests/s", [f"{time.requests_per_s:,.1f}" if time else "–" for time in times]),
        ]
        if any(time and time.per_1000 is not None for time in times):
            columns.append(
                (
                    f"{currency} per 1,000, by machine",
                    [money(time.per_1000 if time else None) for time in times],
                )
            )
    rows = [(s.variant, *(values[row] for _, values in columns)) for row, s in enumerate(summaries)]
    head = ("Variant", *(name for name, _ in columns))
    return Table("A request on average", head, rows, frozenset(range(1, len(head))))


def cost_note(data: ReportData) -> str:
    """Where the numbers come from."""
    parts = []
    prices = data.prices
    if prices.input_per_million or prices.output_per_million:
        parts.append(
            f"Token prices: {prices.currency} {prices.input_per_million:g} for a million in,"
            f" {prices.output_per_million:g} for a million out."
        )
    else:
        parts.append("No token prices are set (`prices` in the project file).")
    if data.latencies:
        hourly = (
            f", at {prices.currency} {prices.machine_per_hour:g} an hour" if prices.machine_per_hour else ""
        )
        parts.append(f"Times were measured on the machine that evaluated, batches shared out{hourly}.")
    return " ".join(parts)


def lineage_view(nodes: tuple[LineageNode, ...]) -> list[Node]:
    """Artifacts with links among them."""
    anchors = {node.id: f"artifact-{index}" for index, node in enumerate(nodes)}
    kinds = {node.id: node.kind for node in nodes}
    return [
        Node(
            node.kind,
            _short(node.id),
            anchors[node.id],
            [
                Link(
                    f"{kinds[name]} {_short(name)}" if name in kinds else _short(name), anchors.get(name, "")
                )
                for name in node.inputs
            ],
            clip(
                " · ".join(f"{key.replace('_', ' ')} {fact(value)}" for key, value in node.facts.items()), 400
            ),
            node.done,
        )
        for node in nodes
    ]


def _short(id_: str) -> str:
    """A long hash at its usual twelve digits; anything else as it is."""
    return re.sub(r"\b([0-9a-f]{12})[0-9a-f]{20,}\b", r"\1", id_)
