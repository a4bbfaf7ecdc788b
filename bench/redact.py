"""Redaction beside presidio and detect-secrets: what is found, what is flagged for nothing, and how fast.

    python bench/redact.py [--data ../shared/data] [--peers PYTHON] [--part held_out|tuned_on] [--missed]

Recall is of labelled spans (presidio_synth, split by template: odd ones were tuned on, even ones are held out) of which
every letter and digit is covered by spans of the right kind; "hidden" takes any kind. `--peers` is a Python that has the
packages presidio-analyzer, detect-secrets and phonenumbers, and Faker, whose lists of names judge what was flagged as a
name. `--missed` prints what was missed of the part tuned on.
"""

import argparse
import base64
import csv
import functools
import hashlib
import json
import os
import random
import re
import string
import subprocess
import sys
import time
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from tunewright.data.redact.redactor import Redactor
from tunewright.data.redact.span import Kind

DATA = Path(__file__).parents[2] / "shared" / "data"
LABELS = {
    "EMAIL_ADDRESS": (Kind.EMAIL, 0.95),
    "IBAN_CODE": (Kind.IBAN, 0.95),
    "US_SSN": (Kind.NATIONAL_ID, 0.95),
    "IP_ADDRESS": (Kind.IP, 0.95),
    "DOMAIN_NAME": (Kind.URL, 0.95),
    "CREDIT_CARD": (Kind.CARD, 0.95),
    "PHONE_NUMBER": (Kind.PHONE, 0.9),
    "PERSON": (Kind.PERSON, 0.7),
    "STREET_ADDRESS": (Kind.ADDRESS, None),
    "US_DRIVER_LICENSE": (Kind.NATIONAL_ID, None),
    "ZIP_CODE": (Kind.ADDRESS, None),
}
"""Label of presidio_synth → our kind, and the recall wanted."""
PEER_KINDS = {
    **{"EMAIL_ADDRESS": Kind.EMAIL, "IBAN_CODE": Kind.IBAN, "US_SSN": Kind.NATIONAL_ID, "IP_ADDRESS": Kind.IP},
    **{"URL": Kind.URL, "CREDIT_CARD": Kind.CARD, "PHONE_NUMBER": Kind.PHONE, "PERSON": Kind.PERSON},
    **{"US_DRIVER_LICENSE": Kind.NATIONAL_ID, "US_ITIN": Kind.NATIONAL_ID, "US_PASSPORT": Kind.NATIONAL_ID},
}  # fmt: skip
BENIGN, EACH = 5000, 40
"""Benign lines, and keys planted of each kind."""


class Found(NamedTuple):
    """A span that some contender found."""

    kind: str
    start: int
    end: int


Find = Callable[[list[str]], list[list[Found]]]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--data", type=Path, default=DATA)
    parser.add_argument("--peers", help="a Python with the peers; without it they are left out")
    parser.add_argument("--part", choices=["held_out", "tuned_on"], default="held_out")
    parser.add_argument("--missed", action="store_true", help="print what was missed of the part tuned on")
    parser.add_argument("--child", choices=sorted(CHILDREN), help=argparse.SUPPRESS)
    asked = parser.parse_args()
    if asked.child:
        print("\n" + json.dumps(CHILDREN[asked.child](json.load(sys.stdin))))
        return
    labelled(asked.data, asked.part, asked.missed, asked.peers)
    alarms(asked.data, asked.peers)
    if asked.peers:
        examples(asked.peers, gsm8k(asked.data)[:600])
    secrets(asked.data, asked.peers)
    speed(asked.data)


def ours(texts: list[str], kinds: tuple[Kind, ...] = tuple(Kind)) -> list[list[Found]]:
    """Each text as a conversation of its own."""
    redactor = Redactor(kinds)
    return [
        [Found(span.kind, span.start, span.end) for span in redactor.redact([text]).spans[0]]
        for text in texts
    ]


# -- labelled spans --


def labelled(data: Path, part: str, missed: bool, peers: str | None) -> None:
    rows = json.loads((data / "presidio_synth" / "synth_dataset_v2.json").read_text(encoding="utf-8"))
    rows = [row for row in rows if row["template_id"] % 2 == (part == "tuned_on")]
    texts = [row["full_text"] for row in rows]
    print(
        f"presidio_synth, {part.replace('_', ' ')}: {len(rows):,} texts of {len({r['template_id'] for r in rows})} templates"
    )
    contenders: dict[str, list[list[Found]]] = {"ours": ours(texts)}
    for python, name in ((peers, name) for name in ("presidio", "phonenumbers") if peers):
        answer = ask_child(python, name, texts)
        contenders[name] = [[Found(*span) for span in spans] for spans in answer["found"]]
        print(
            f"  {name}: {answer['seconds']:.1f} s, {sum(map(len, texts)) / 1e6 / answer['seconds']:.3f} MB/s"
        )
    for name, found in contenders.items():
        print(f"  {name}:")
        recalls(rows, found, missed and part == "tuned_on" and name == "ours")


def recalls(rows: list[dict[str, Any]], found: list[list[Found]], missed: bool) -> None:
    hits: Counter[str] = Counter()
    hidden: Counter[str] = Counter()
    total: Counter[str] = Counter()
    for row, spans in zip(rows, found, strict=True):
        text = row["full_text"]
        for gold in row["spans"]:
            label, start, end = gold["entity_type"], gold["start_position"], gold["end_position"]
            if label not in LABELS:
                continue
            total[label] += 1
            kind = LABELS[label][0]
            hits[label] += covered(text, start, end, [s for s in spans if s.kind == kind])
            hidden[label] += covered(text, start, end, spans)
            if missed and not covered(text, start, end, spans):
                print(
                    f"    missed {label}: {text[max(0, start - 30) : start]!r}[{text[start:end]!r}]{text[end : end + 20]!r}"
                )
    for label, (_kind, wanted) in LABELS.items():
        share, all_kinds = hits[label] / max(1, total[label]), hidden[label] / max(1, total[label])
        target = f" (≥ {wanted})" if wanted else ""
        verdict = "" if wanted is None or share >= wanted else "  BELOW"
        print(
            f"    {label:18} {hits[label]:4}/{total[label]:<4} recall {share:.3f}{target}, hidden {all_kinds:.3f}{verdict}"
        )
    right, flagged = precision(rows, found, "PERSON")
    print(
        f"    PERSON flagged {flagged}, of which {right} touch a labelled person: precision {right / max(1, flagged):.3f}"
    )


def covered(text: str, start: int, end: int, spans: list[Found]) -> bool:
    marks = {at for span in spans for at in range(max(start, span.start), min(end, span.end))}
    return all(at in marks for at in range(start, end) if text[at].isalnum())


def precision(rows: list[dict[str, Any]], found: list[list[Found]], label: str) -> tuple[int, int]:
    right = flagged = 0
    for row, spans in zip(rows, found, strict=True):
        gold = [(s["start_position"], s["end_position"]) for s in row["spans"] if s["entity_type"] == label]
        mine = [span for span in spans if span.kind == LABELS[label][0]]
        flagged += len(mine)
        right += sum(any(span.start < end and start < span.end for start, end in gold) for span in mine)
    return right, flagged


# -- false alarms --


def alarms(data: Path, peers: str | None) -> None:
    """Whatever is flagged in these texts is an alarm, save people's names in gsm8k, whose questions are about people."""
    for name, texts in {"banking77": banking77(data), "gsm8k": gsm8k(data)}.items():
        words = sum(len(text.split()) for text in texts) / 1000
        found = ours(texts)
        flagged = Counter(span.kind for spans in found for span in spans)
        people = Counter(
            text[s.start : s.end]
            for text, spans in zip(texts, found, strict=True)
            for s in spans
            if s.kind == Kind.PERSON
        )
        others = sum(flagged.values()) - flagged[Kind.PERSON]
        print(f"{name} (test), {words:,.1f} thousand words: flagged {dict(flagged)}")
        wrong = people.total() if name == "banking77" else sum(people[one] for one in NOT_PEOPLE)
        print(f"  alarms: {(others + wrong) / words:.3f} per 1,000 words (≤ 1), {wrong} of them names")
        if name == "gsm8k" and peers:
            judge_names(people, ask_child(peers, "faker", [])["names"])


NOT_PEOPLE = frozenset(
    ("Aggie Burrito", "Coco Crunch", "He", "Her", "Midlandia", "Northlandia", "Southlandia", "Petri", "T-Rex")
)
"""Of the 698 different names flagged in gsm8k in November 2026, all read in their sentence, those that are not of people."""


def judge_names(people: Counter[str], known: list[str]) -> None:
    """A second judge of names, that never read them: how many have no word in common with Faker's lists."""
    lists = set(known)
    strange = {one: n for one, n in people.items() if lists.isdisjoint(re.findall(r"\w[\w'’-]*", one))}
    examples = ", ".join(sorted(strange, key=lambda one: -strange[one])[:40])
    print(f"  {people.total():,} names, {sum(strange.values())} of them not in Faker's lists: {examples}")


def banking77(data: Path) -> list[str]:
    with (data / "banking77" / "test.csv").open(encoding="utf-8", newline="") as stream:
        return [row["text"] for row in csv.DictReader(stream)]


def gsm8k(data: Path) -> list[str]:
    lines = (data / "gsm8k" / "test.jsonl").read_text(encoding="utf-8").splitlines()
    return [row[field] for row in map(json.loads, lines) for field in ("question", "answer")]


# -- examples that others make --


def examples(python: str, prose: list[str]) -> None:
    """Names by Faker and example numbers by phonenumbers, neither of which the rules were tuned on."""
    made = ask_child(python, "made", [])
    people = {place: recall(SAID, names, Kind.PERSON) for place, names in made["people"].items()}
    low = sorted(people, key=lambda place: people[place])[:5]
    mean = sum(people.values()) / len(people)
    print(
        f"full names by Faker, {len(people)} languages: mean recall {mean:.3f}; lowest",
        {p: people[p] for p in low},
    )
    for form, numbers in made["phones"].items():
        alone, named = (
            recall(said, numbers, Kind.PHONE)
            for said in (("My details: {}, thanks",), ("call me on {} please",))
        )
        print(
            f"example numbers, {form}, {len(numbers)}: recall {alone:.3f} alone, {named:.3f} beside a word for it"
        )
    words = sum(len(text.split()) for text in prose) / 1000
    theirs = ask_child(python, "phonenumbers", prose)
    print(
        f"phone alarms per 1,000 words of gsm8k: ours {sum(map(len, ours(prose, (Kind.PHONE,)))) / words:.3f},"
        f" phonenumbers {sum(map(len, theirs['found'])) / words:.1f}"
    )


SAID = (
    "I spoke with {} yesterday about the loan.",
    "{} has not paid the invoice.",
    "Dear {},\nthank you.",
    "the account of {} is closed",
    "Please ask {}.",
)


def recall(said: tuple[str, ...], values: list[str], kind: Kind) -> float:
    """The share of values found whole, each in one of the sentences."""
    texts = [said[at % len(said)].format(value) for at, value in enumerate(values)]
    found = ours(texts, (kind,))
    places = [text.index(value) for text, value in zip(texts, values, strict=True)]
    whole = zip(texts, places, values, found, strict=True)
    hits = [covered(text, at, at + len(value), spans) for text, at, value, spans in whole]
    return round(sum(hits) / len(hits), 3)


# -- secrets --


def secrets(data: Path, peers: str | None) -> None:
    rng = random.Random(7)
    planted = [Planted(name, *placed(rng, make(rng))) for name, make in KEYS.items() for _ in range(EACH)]
    texts, lines = [one.text for one in planted], list(benign(random.Random(11), data))
    judge_secrets("ours", planted, ours(texts, (Kind.SECRET,)), lines, ours(lines, (Kind.SECRET,)))
    if peers:
        answers = [ask_child(peers, "detect_secrets", asked) for asked in (texts, lines)]
        found = [[[Found(*span) for span in spans] for spans in answer["found"]] for answer in answers]
        judge_secrets("detect-secrets", planted, found[0], lines, found[1])
    personal = Counter(span.kind for spans in ours(lines) for span in spans)
    print(f"  the benign lines with all kinds: {dict(personal)}")


class Planted(NamedTuple):
    """A secret in some text, and where the part that has to be hidden lies."""

    kind: str
    text: str
    start: int
    end: int


def judge_secrets(
    name: str,
    planted: list[Planted],
    on_keys: list[list[Found]],
    lines: list[str],
    on_lines: list[list[Found]],
) -> None:
    caught: Counter[str] = Counter()
    for one, spans in zip(planted, on_keys, strict=True):
        caught[one.kind] += covered(one.text, one.start, one.end, spans)
    low = {kind: f"{caught[kind]}/{EACH}" for kind in KEYS if caught[kind] < EACH}
    wrong = [line for line, spans in zip(lines, on_lines, strict=True) if spans]
    print(
        f"secrets, {name}: recall {caught.total() / len(planted):.4f} of {len(planted):,} keys,"
        f" {len(KEYS)} kinds (≥ 0.97);"
        f" {len(wrong)} of {len(lines):,} benign lines flagged (0)"
    )
    print(f"  not all of {low}" if low else "  all of each kind")
    for line in wrong[:10]:
        print("    ", line[:150])


def drawn(rng: random.Random, alphabet: str, length: int) -> str:
    return "".join(rng.choices(alphabet, k=length))


HEX, DIGITS = "0123456789abcdef", string.digits
WORD = string.ascii_letters + string.digits
URLSAFE, BASE64, CAPITALS = WORD + "-_", WORD + "+/", string.ascii_uppercase + string.digits


def jwt(rng: random.Random) -> str:
    parts = [
        {"alg": "HS256", "typ": "JWT"},
        {"sub": drawn(rng, DIGITS, 10), "iat": rng.randrange(10**9, 2 * 10**9)},
    ]
    head = ".".join(
        base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts
    )
    return f"{head}.{drawn(rng, URLSAFE, 43)}"


def private_key(rng: random.Random) -> str:
    name = rng.choice(
        ["RSA PRIVATE KEY", "PRIVATE KEY", "EC PRIVATE KEY", "OPENSSH PRIVATE KEY", "ENCRYPTED PRIVATE KEY"]
    )
    body = "\n".join(drawn(rng, BASE64, 64) for _ in range(rng.randint(3, 25)))
    return f"-----BEGIN {name}-----\n{body}\n-----END {name}-----"


def password(rng: random.Random) -> str:
    return (
        drawn(rng, string.ascii_letters, 6)
        + drawn(rng, DIGITS, 3)
        + drawn(rng, "!%*+-_=~", 1)
        + drawn(rng, WORD, 3)
    )


KEYS: dict[str, Callable[[random.Random], str]] = {
    "huggingface": lambda r: "hf_" + drawn(r, string.ascii_letters, 34),
    "google_api_key": lambda r: "AIza" + drawn(r, URLSAFE, 35),
    "openai": lambda r: "sk-" + drawn(r, WORD, 20) + "T3BlbkFJ" + drawn(r, WORD, 20),
    "openai_project": lambda r: "sk-proj-" + drawn(r, URLSAFE, 74) + "T3BlbkFJ" + drawn(r, URLSAFE, 74),
    "anthropic": lambda r: "sk-ant-api03-" + drawn(r, URLSAFE, 93) + "AA",
    "aws_key_id": lambda r: r.choice(["AKIA", "ASIA"]) + drawn(r, "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567", 16),
    "aws_secret": lambda r: "aws_secret_access_key = " + drawn(r, BASE64, 40),
    "github": lambda r: r.choice(["ghp_", "gho_", "ghu_", "ghs_", "ghr_"]) + drawn(r, WORD, 36),
    "github_fine": lambda r: "github_pat_" + drawn(r, WORD, 22) + "_" + drawn(r, WORD, 59),
    "gitlab": lambda r: "glpat-" + drawn(r, URLSAFE, 20),
    "slack_bot": lambda r: f"xoxb-{drawn(r, DIGITS, 12)}-{drawn(r, DIGITS, 13)}-{drawn(r, WORD, 24)}",
    "slack_webhook": lambda r: (
        f"https://hooks.slack.com/services/T{drawn(r, CAPITALS, 8)}/B{drawn(r, CAPITALS, 10)}/{drawn(r, WORD, 24)}"
    ),
    "stripe": lambda r: r.choice(["sk_live_", "rk_live_", "sk_test_"]) + drawn(r, WORD, r.choice([24, 99])),
    "jwt": jwt,
    "private_key": private_key,
    "npm": lambda r: "npm_" + drawn(r, WORD, 36),
    "pypi": lambda r: "pypi-AgEIcHlwaS5vcmc" + drawn(r, URLSAFE, 140),
    "google_oauth": lambda r: r.choice(["ya29." + drawn(r, URLSAFE, 120), "GOCSPX-" + drawn(r, URLSAFE, 28)]),
    "twilio": lambda r: "SK" + drawn(r, HEX, 32),
    "sendgrid": lambda r: f"SG.{drawn(r, URLSAFE, 22)}.{drawn(r, URLSAFE, 43)}",
    "mailgun": lambda r: "key-" + drawn(r, HEX, 32),
    "telegram": lambda r: f"{drawn(r, '123456789', 9)}:AA{drawn(r, URLSAFE, 33)}",
    "discord": lambda r: (
        f"{base64.b64encode(drawn(r, '123456789', 18).encode()).decode()}.{drawn(r, URLSAFE, 6)}.{drawn(r, URLSAFE, 27)}"
    ),
    "shopify": lambda r: "shpat_" + drawn(r, HEX, 32),
    "digitalocean": lambda r: "dop_v1_" + drawn(r, HEX, 64),
    "databricks": lambda r: "dapi" + drawn(r, HEX, 32),
    "azure_storage": lambda r: (
        f"DefaultEndpointsProtocol=https;AccountName=store;AccountKey={drawn(r, BASE64, 86)}=="
    ),
    "connection_string": lambda r: (
        r.choice(["postgres", "mysql", "mongodb+srv", "redis", "amqp"])
        + f"://{drawn(r, string.ascii_lowercase, 6)}:{password(r)}@db.internal:5432/main"
    ),
    "password_in_code": lambda r: f'DB_PASSWORD="{password(r)}"',
    "password_in_prose": lambda r: f"my password is {password(r)}",
}
"""Kind of secret → a maker of one, by the form its vendor documents. What of it has to be hidden: `hide`."""
CONTEXTS = (
    "{}", "export API_KEY={}", 'client = Client("{}")', "curl -H 'X-Key: {}' https://api.example.com/v1/models",
    "Hi, it fails with {} since yesterday, can you check?", '{{"key": "{}", "retries": 3}}', "  token: {}  # rotate",
    "I pasted it here: {}.", "https://api.example.com/v1?key={}&page=2",
)  # fmt: skip


def placed(rng: random.Random, key: str) -> tuple[str, int, int]:
    """A key in some text, and where its secret part lies."""
    named = key.startswith(("aws_secret", "Default", "DB_", "my "))  # it brings its own surroundings
    text = rng.choice(CONTEXTS[:1] if named else CONTEXTS).format(key)
    start = text.index(key)
    for mark in ("aws_secret_access_key = ", "AccountKey=", "password is ", 'DB_PASSWORD="', "/services/"):
        if mark in key:
            return text, start + key.index(mark) + len(mark), start + len(key.rstrip('"'))
    if "://" in key:
        first = start + key.index(":", key.index("://") + 3) + 1
        return text, first, start + key.index("@", key.index("://"))
    return text, start, start + len(key)


NAMED = """password = getpass.getpass()
token = tokens[i]
api_key=os.environ['API_KEY']
secret: ${{ secrets.DEPLOY }}
PASSWORD=<your password>
key = sorted(d.items(), key=lambda kv: kv[1])
tokenizer = AutoTokenizer.from_pretrained(base)
I forgot my password
the password is wrong
passwd: files systemd
public_key: ssh-rsa
max_tokens=2048, eos_token_id=2
next_token = logits.argmax(-1)
private_key_path: /etc/ssl/key1.pem
postgres://localhost:5432/main
redis://user:password@localhost
password: ********
API_KEY=xxxxxxxxxxxxxxxx
token="<TOKEN>"
csrf_token={{ csrf_token() }}""".splitlines()
"""Lines that name a secret and hold none."""
LINES: tuple[Callable[[random.Random], str], ...] = (
    lambda r: f"commit {drawn(r, HEX, 40)}",
    lambda r: f"sha256:{drawn(r, HEX, 64)}",
    lambda r: f"request_id={uuid.UUID(int=r.getrandbits(128))} status=200",
    lambda r: f"{hashlib.md5(r.randbytes(8)).hexdigest()}  file{r.randint(1, 99)}.tar.gz",
    lambda r: f"data:image/png;base64,{base64.b64encode(r.randbytes(r.randint(60, 400))).decode()}",
    lambda r: f'"integrity": "sha512-{base64.b64encode(r.randbytes(64)).decode()}",',
    lambda r: base64.b64encode(r.randbytes(57)).decode(),
    lambda r: f"index {drawn(r, HEX, 7)}..{drawn(r, HEX, 7)} 100644",
    lambda r: str(uuid.UUID(int=r.getrandbits(128))),
    lambda r: f"0x{drawn(r, HEX, 16)}: {' '.join(drawn(r, HEX, 2) for _ in range(16))}",
    lambda r: f'ETag: W/"{drawn(r, HEX, 32)}"',
    lambda r: f"color: #{drawn(r, HEX, 6)};",
    lambda r: (
        f"2026-0{r.randint(1, 9)}-{r.randint(10, 28)}T10:{r.randint(10, 59)}:33.{drawn(r, DIGITS, 6)}Z INFO"
    ),
    lambda r: f"ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA{base64.b64encode(r.randbytes(33)).decode()} me",
    lambda r: (
        f"pip install torch=={r.randint(1, 3)}.{r.randint(0, 30)}.{r.randint(0, 9)}+cu{drawn(r, DIGITS, 3)}"
    ),
    lambda r: f"https://cdn.example.com/assets/main.{drawn(r, HEX, 20)}.js",
    lambda r: f"arn:aws:iam::{drawn(r, DIGITS, 12)}:role/deploy",
    lambda r: r.choice(NAMED),
)


def benign(rng: random.Random, data: Path) -> Iterator[str]:
    """Lines that hold no secret: half drawn (hashes, ids, pictures, code), half from public data at hand."""
    shell = (data / "nl2bash" / "all.cm").read_text(encoding="utf-8").splitlines()
    prose = banking77(data) + [line for text in gsm8k(data) for line in text.splitlines()]
    code = [
        line.rstrip()
        for path in sorted(Path(json.__file__).parents[1].glob("*.py"))
        for line in path.read_text(encoding="utf-8", errors="replace").splitlines()
        if len(line.strip()) > 20
    ]
    for at in range(BENIGN):
        yield rng.choice(LINES)(rng) if at % 2 else rng.choice((shell, prose, code)[at // 2 % 3])


# -- speed --


def speed(data: Path) -> None:
    texts = (
        banking77(data) + gsm8k(data) + (data / "nl2bash" / "all.cm").read_text(encoding="utf-8").splitlines()
    )
    size = sum(len(text.encode()) for text in texts) / 1e6
    took = clock(lambda: [Redactor().redact([text]) for text in texts])
    print(
        f"speed: {size:.2f} MB in {len(texts):,} texts, {size / took:.2f} MB/s of CPU time; each kind alone, MB/s:"
    )
    alone = {kind: size / clock(functools.partial(ours, texts, (kind,))) for kind in Kind}
    print("  " + ", ".join(f"{kind} {rate:.1f}" for kind, rate in alone.items()))
    work = {name: piece * (HOSTILE_SIZE // len(piece)) for name, piece in HOSTILE.items()}
    rates = {name: len(text) / 1e6 / clock(functools.partial(ours, [text])) for name, text in work.items()}
    print("  hostile, MB/s: " + ", ".join(f"{name} {rate:.2f}" for name, rate in rates.items()))


def clock(work: Callable[[], Any]) -> float:
    start = time.process_time()
    work()
    return time.process_time() - start


HOSTILE = {
    **{"digits": "1", "digits and blanks": "1 ", "a@a.": "a@a.", "dots": "1.", "Aa": "Aa ", "colons": "a:"},
    **{"slashes": "a://a:", "eyJ": "eyJa.", "dashes": "-----BEGIN PRIVATE KEY-----", "password": "password="},
    **{
        "street": "12 Aa ",
        "initials": "A. ",
        "blanks": " ",
        "newlines": "\n",
        "brackets": "(",
        "rue": "12 rue de ",
    },
    **{
        "name is": "my name is ",
        "plus": "+1 ",
        "regards": "regards\n",
        "word": "a",
        "hyphens": "A-",
        "AIza": "AIza",
    },
    **{"GB": "GB12 ", "corner": "corner of Aa ", "placeholders": "[EMAIL_1]"},
}
"""Pieces that, said over and over, make a careless pattern slow."""
HOSTILE_SIZE = 200_000


# -- the peers, in a Python of their own --


def ask_child(python: str, name: str, texts: list[str]) -> dict[str, Any]:
    command = [python, __file__, "--child", name]
    source = str(Path(__file__).parents[1] / "src")
    done = subprocess.run(
        command,
        input=json.dumps(texts),
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": source, "OMP_NUM_THREADS": "1"},
    )
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


def presidio(texts: list[str]) -> dict[str, Any]:
    """Its recognisers on a blank English pipeline: no model of names comes with the package."""
    import logging
    import os
    import tempfile

    os.environ["TLDEXTRACT_CACHE"] = tempfile.mkdtemp()
    logging.disable(logging.CRITICAL)
    import spacy
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    tldextract.tldextract.TLD_EXTRACTOR = tldextract.TLDExtract(suffix_list_urls=())
    with tempfile.TemporaryDirectory() as folder:
        spacy.blank("en").to_disk(folder)
        models = [{"lang_code": "en", "model_name": folder}]
        nlp = NlpEngineProvider(
            nlp_configuration={"nlp_engine_name": "spacy", "models": models}
        ).create_engine()
        engine = AnalyzerEngine(nlp_engine=nlp, supported_languages=["en"])
        start = time.process_time()
        found = [
            [
                (PEER_KINDS.get(one.entity_type, one.entity_type), one.start, one.end)
                for one in engine.analyze(text, "en")
            ]
            for text in texts
        ]
        return {"found": found, "seconds": time.process_time() - start}


def phonenumbers(texts: list[str]) -> dict[str, Any]:
    """Its matcher, asked for each of ten countries: a number without +… means something in a country only."""
    from phonenumbers import Leniency, PhoneNumberMatcher

    start = time.process_time()
    regions = ("US", "GB", "DE", "FR", "SE", "CH", "AU", "CZ", "HU", "BE")
    found = [
        sorted(
            {
                ("phone", match.start, match.end)
                for region in regions
                for match in PhoneNumberMatcher(text, region, leniency=Leniency.POSSIBLE)
            }
        )
        for text in texts
    ]
    return {"found": found, "seconds": time.process_time() - start}


NOT_ASKED = ("Base64HighEntropyString", "HexHighEntropyString", "KeywordDetector", "IPPublicDetector")


def detect_secrets(texts: list[str]) -> dict[str, Any]:
    """Its plugins that go by patterns: a text counts whole. Those by entropy and by variable names flag most lines."""
    from detect_secrets.core.plugins.util import get_mapping_from_secret_type_to_class
    from detect_secrets.settings import transient_settings

    found = []
    start = time.process_time()
    with transient_settings({"plugins_used": []}):
        classes = get_mapping_from_secret_type_to_class().values()
        plugins = [c() for c in classes if c.__name__ not in NOT_ASKED]
        for text in texts:
            told = any(True for plugin in plugins for _ in plugin.analyze_string(text))
            found.append([("secret", 0, len(text))] if told else [])
    return {"found": found, "seconds": time.process_time() - start}


def faker(_texts: list[str]) -> dict[str, Any]:
    """First names and surnames of all its locales."""
    import importlib
    import pkgutil

    import faker.providers.person as person

    names: set[str] = set()
    for module in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"faker.providers.person.{module.name}").Provider
        for field in dir(provider):
            if field.startswith(("first_names", "last_names")) and isinstance(
                getattr(provider, field), (list, tuple, dict)
            ):
                names.update(
                    word for one in getattr(provider, field) if isinstance(one, str) for word in one.split()
                )
    return {"names": sorted(names)}


LOCALES = (
    "en_US en_GB de_DE fr_FR es_ES es_MX it_IT pt_BR pt_PT nl_NL sv_SE da_DK no_NO fi_FI pl_PL cs_CZ sk_SK sl_SI hr_HR hu_HU"
    " ro_RO tr_TR en_IN vi_VN id_ID et_EE lt_LT lv_LV sw en_NG yo_NG zu_ZA"
)


def made(_texts: list[str]) -> dict[str, Any]:
    """200 full names of each language, and the example number of each country."""
    import phonenumbers
    from faker import Faker

    people = {}
    for place in LOCALES.split():
        maker = Faker(place)
        maker.seed_instance(3)
        people[place] = [f"{maker.first_name()} {maker.last_name()}" for _ in range(200)]
    kinds = (phonenumbers.PhoneNumberType.FIXED_LINE, phonenumbers.PhoneNumberType.MOBILE)
    regions = sorted(phonenumbers.SUPPORTED_REGIONS)
    numbers = [
        number for r in regions for k in kinds if (number := phonenumbers.example_number_for_type(r, k))
    ]
    forms = {name: getattr(phonenumbers.PhoneNumberFormat, name) for name in ("INTERNATIONAL", "NATIONAL")}
    phones = {name: [phonenumbers.format_number(n, form) for n in numbers] for name, form in forms.items()}
    return {"people": people, "phones": phones}


CHILDREN: dict[str, Callable[[list[str]], dict[str, Any]]] = {
    "presidio": presidio,
    "phonenumbers": phonenumbers,
    "detect_secrets": detect_secrets,
    "faker": faker,
    "made": made,
}

if __name__ == "__main__":
    main()
