"""Texts said otherwise: other words of the same meaning, and the same clauses in another order.

    other_words("How do I top up my card?", Random(0)); another_order(…)

The synonyms are few and by hand, for questions to a bank and for word problems: what a careless copyist would change.
"""

import re
from random import Random

_SYNONYMS = """
want: wish need; need: require; why: how_come; how: in_which_way; money: funds cash; buy: purchase; bought: purchased
payment: transaction; transaction: payment; transfer: send wire; transferred: sent wired; card: bankcard; cards: bankcards
account: profile; lost: misplaced; stolen: taken; broken: damaged faulty; help: assist support; fee: charge cost
fees: charges costs; charged: billed; charge: bill fee; change: alter modify; changed: altered modified
pending: outstanding unprocessed; cancel: stop abort; cancelled: stopped; declined: rejected refused; rejected: declined
refund: reimbursement; identity: identification; verify: confirm check; receive: get obtain; received: got obtained
get: receive; got: received; arrive: come; arrived: come; wrong: incorrect mistaken; rate: price; exchange: conversion
abroad: overseas; foreign: overseas; country: nation; use: utilise employ; using: employing; long: lengthy
find: locate discover; tell: inform; know: understand; show: appear; showing: appearing; shows: displays; think: believe
still: yet; problem: issue trouble; issue: problem; fast: quickly; soon: shortly; give: provide; gave: provided
make: produce create; makes: produces creates; made: produced; sell: market vend; sells: markets vends; sold: marketed
boy: lad; boys: lads; girl: lass; girls: lasses; children: kids; kids: children; house: home; home: house; each: every
every: each; many: numerous; total: overall; altogether: overall; all: entire; day: date; start: begin; started: began
finish: complete; walk: stroll; walks: strolls; run: sprint; runs: sprints; eat: consume; eats: consumes; ate: consumed
earn: make; earns: makes; spend: use; spent: used; left: remaining; big: large; large: big; small: little; more: extra
additional: extra; people: persons; friend: pal buddy; friends: pals; car: vehicle; cars: vehicles; store: shop
shop: store; bag: sack; bags: sacks; box: crate; boxes: crates; job: task; work: labour; cost: price; price: cost
half: fifty_percent; twice: double; then: afterwards; after: following; before: prior_to; needs: requires; gets: receives
has: owns; had: owned; bring: carry; brought: carried; pick: collect; picks: collects; put: place; takes: requires
if: provided_that; when: once; because: since; but: however; also: too; please: kindly; can: could; could: can
should: must; would: might; possible: feasible; now: currently; app: application; phone: mobile; pin: passcode
atm: cashpoint; withdraw: take_out; withdrawal: cash_withdrawal; cash: money; balance: funds; update: refresh
"""
_KNOWN = {
    word.strip(): [one.replace("_", " ") for one in others.split()]
    for word, _, others in (pair.partition(":") for pair in re.split(r"[;\n]", _SYNONYMS.strip()))
}
_JOINTS = re.compile(
    r"(?<=[.?!,])\s+|\s+(?=(?:because|but|when|if|while|then|and|so|for|to|from|with|on|in|that)\b)"
)


def other_words(text: str, rng: Random) -> str:
    """Every word that has a synonym here is replaced by one."""
    return re.sub(r"\w+", lambda found: _synonym(found[0], rng), text)


def another_order(text: str, rng: Random) -> str:
    """Its sentences and clauses, the last ones first."""
    parts = [part for part in _JOINTS.split(text) if part]
    turn = rng.randrange(1, len(parts)) if len(parts) > 1 else 0
    return " ".join(parts[turn:] + parts[:turn])


def _synonym(word: str, rng: Random) -> str:
    if word.lower() not in _KNOWN:
        return word
    other = rng.choice(_KNOWN[word.lower()])
    return other.capitalize() if word[0].isupper() else other
