"""Secrets: keys and tokens that vendors mark by a prefix, private keys, passwords that stand beside their name."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from tunewright.data.redact.hints import among, hint_words, hints_in
from tunewright.data.redact.span import Kind, Span
from tunewright.data.redact.starts import long_tokens


class Rule(NamedTuple):
    """A secret's shape. Group 1, where the pattern has one, is the secret; the rest is what it stands in."""

    name: str
    hints: tuple[str, ...]
    """Lower-case text, of which one piece stands in every match: what a text without them is spared."""
    pattern: re.Pattern[str]
    sure: float = 1.0


_START, _END = r"(?<![A-Za-z0-9_])", r"(?![A-Za-z0-9_])"


def _marked(name: str, hints: str, body: str, sure: float = 1.0) -> Rule:
    """A token told by its prefix, on its own between other text. `hints` are separated by blanks."""
    return Rule(name, tuple(hints.lower().split()), re.compile(f"{_START}(?:{body}){_END}"), sure)


MARKED = (
    _marked("huggingface", "hf_ api_org_", r"(?:hf_|api_org_)[A-Za-z0-9]{30,64}"),
    _marked("google_api_key", "aiza", r"AIza[0-9A-Za-z_-]{35}"),
    _marked("google_oauth", "ya29. gocspx- 1//0", r"ya29\.[\w-]{20,2048}|GOCSPX-[\w-]{28}|1//0[\w-]{40,200}"),
    _marked("anthropic", "sk-ant-", r"sk-ant-[\w-]{20,200}"),
    _marked("openai", "sk-", r"sk-(?:(?:proj|svcacct|admin|None|or-v1)-[\w-]{20,200}|[A-Za-z0-9]{20,64})"),
    _marked("aws_key_id", "akia asia abia acca", r"(?:AKIA|ASIA|ABIA|ACCA)[A-Z2-7]{16}"),
    _marked(
        "github", "ghp_ gho_ ghu_ ghs_ ghr_ github_pat_", r"gh[pousr]_[A-Za-z0-9]{36,255}|github_pat_\w{50,255}"
    ),
    _marked("gitlab", "gl", r"gl(?:pat|dt|rt|cbt|ptt|ft|imt|agent|oas|soat|ffct)-[\w-]{20,64}(?:\.[\w.]{2,20})?"),
    _marked("slack", "xox xapp-", r"xox[abeoprs](?:\.xox[bp])?-[A-Za-z0-9-]{15,250}|xapp-\d-[A-Za-z0-9-]{15,250}"),
    _marked("stripe", "_live_ _test_ whsec_", r"(?:sk|rk|pk)_(?:live|test)_[A-Za-z0-9]{16,255}|whsec_[A-Za-z0-9+/]{24,64}"),
    _marked("npm", "npm_", r"npm_[A-Za-z0-9]{36}"),
    _marked("pypi", "pypi-ageichlwas5vcmc", r"pypi-AgEIcHlwaS5vcmc[\w-]{50,1000}"),
    _marked("twilio", "ac sk", r"(?:AC|SK)(?=[0-9a-f]{0,20}\d)[0-9a-f]{32}"),
    _marked("sendgrid", "sg.", r"SG\.[\w-]{16,32}\.[\w-]{32,64}"),
    _marked("mailgun", "key- -us", r"key-[0-9a-f]{32}|[0-9a-f]{32}-us\d{1,2}"),
    _marked("telegram", ":aa", r"\d{8,10}:AA[\w-]{33}"),
    _marked("discord", ".", r"[MNO][TDjz][A-Za-z\d]{22,26}\.[\w-]{6}\.[\w-]{27,40}"),
    _marked("shopify", "shp", r"shp(?:at|ca|pa|ss)_[0-9a-fA-F]{32}"),
    _marked("digitalocean", "_v1_", r"do[opr]_v1_[0-9a-f]{64}"),
    _marked("databricks", "dapi", r"dapi[0-9a-f]{32}(?:-\d)?"),
    _marked("square", "sq0 eaaa", r"sq0[a-z]{3}-[\w-]{22,43}|EAAA[\w-]{60}"),
    _marked("docker", "dckr_", r"dckr_(?:pat|oat)_[\w-]{27,64}"),
    _marked("postman", "pmak-", r"PMAK-[0-9a-f]{24}-[0-9a-f]{34}"),
    _marked("grafana", "glsa_ glc_", r"glsa_[A-Za-z0-9]{32}_[0-9a-f]{8}|glc_[A-Za-z0-9+/]{32,400}={0,2}"),
    _marked("vault", "hvs. hvb. hvr.", r"hv[sbr]\.[\w-]{24,300}"),
    _marked("age", "age-secret-key-1", r"AGE-SECRET-KEY-1[0-9A-Z]{58}"),
    _marked("atlassian", "atatt3", r"ATATT3[\w=-]{60,400}"),
    _marked("new_relic", "nrak- nrii-", r"NR(?:AK|II)-[A-Za-z0-9_-]{27,32}"),
    _marked("notion", "ntn_ secret_", r"ntn_[A-Za-z0-9]{40,50}|secret_[A-Za-z0-9]{43}"),
    _marked("linear", "lin_", r"lin_(?:api|oauth)_[A-Za-z0-9]{40,64}"),
    _marked("airtable", "pat", r"pat[A-Za-z0-9]{14}\.[0-9a-f]{64}"),
    _marked("inference_key", "gsk_ r8_ pplx- xai- nvapi-",
        r"gsk_\w{52}|r8_\w{37}|pplx-\w{48}|xai-\w{60,100}|nvapi-[\w-]{64}"),
    _marked("jwt", "eyj", r"eyJ[\w-]{10,4000}\.eyJ[\w-]{8,8000}\.[\w-]{16,2000}"),
)  # fmt: skip

_KEY_HEAD = re.compile(r"-----BEGIN (?!PUBLIC)[A-Z0-9 ]{0,30}PRIVATE KEY(?: BLOCK)?-----")
_KEY_TAIL = re.compile(r"-----END [A-Z0-9 ]{0,40}-----")
_KEY_LINES = re.compile(r"[A-Za-z0-9+/=\s\\]{0,20000}")
_LONGEST_KEY, _SHORTEST_KEY = 20_000, 40
_VALUE = r"[^\s\"'`<>{}()\[\],;$&|\\]{8,200}"
_NAMED = (
    r"(?:pass(?:word|wd|phrase)?|pwd|secret|token|(?:api|access|private|auth|encryption|signing|master|account)[_-]?key"
    r"|client[_-]?secret|credentials?)"
)
SURROUNDED = (
    Rule(
        "connection_string",
        ("://",),
        re.compile(r"(?<![A-Za-z])[a-zA-Z][a-zA-Z0-9+.-]{1,30}://([^\s/@:\"'<>]{0,100}:[^\s/@\"'<>{}$]{1,200})@[\w\[.-]"),
    ),
    Rule(
        "aws_secret_key",
        ("aws", "secretaccesskey"),
        re.compile(
            r"(?i:aws[\w.-]{0,20}(?:secret|key)|secret_?access_?key)[\w\"' :=>-]{1,30}(?<![A-Za-z0-9/+])"
            r"([A-Za-z0-9/+]{40})(?![A-Za-z0-9/+=])"
        ),
    ),
    Rule(
        "azure_key",
        ("accountkey=", "sharedaccesskey=", "sig="),
        re.compile(
            r"(?i)(?:(?:account|sharedaccess)key=([A-Za-z0-9+/]{40,100}={0,2})|[?&]sig=([A-Za-z0-9%+/=_-]{20,120}))"
        ),
    ),
    Rule(
        "webhook",
        ("hooks.slack.com", "/api/webhooks/", "webhook.office.com"),
        re.compile(
            r"(?:hooks\.slack\.com/(?:services|workflows)/|discord(?:app)?\.com/api/webhooks/|webhook\.office\.com/)"
            r"([\w/@-]{20,300})"
        ),
    ),
    Rule(
        "authorization",
        ("bearer ", "basic "),
        re.compile(r"(?i)authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:bearer|basic) ([A-Za-z0-9+/_=.~-]{12,4000})"),
        0.9,
    ),
    Rule(
        "authorization_token",
        ("authorization",),
        re.compile(
            r"(?i)authorization[\"']?\s{0,3}[:=]\s{0,3}[\"']?(?:token|api-?key) (?:token=)?[\"']?"
            r"([A-Za-z0-9+/_=.~-]{20,4000})"
        ),
        0.85,
    ),
    Rule(
        "named_in_code",
        ("pass", "pwd", "secret", "token", "key", "credential"),
        re.compile(
            rf"(?i)(?<![A-Za-z])(?:[a-z0-9]{{1,30}}[_.-]){{0,4}}{_NAMED}(?:[_-][a-z0-9]{{1,20}}){{0,2}}[\"']?"
            rf"[ \t]{{0,5}}(?:=>|:=|[:=])[ \t]{{0,5}}[\"'`]?({_VALUE})(?=$|[\s\"'`,;&)}}\]<])"
        ),
        0.8,
    ),
    Rule(
        "named_in_prose",
        ("pass", "pwd", "pin"),
        re.compile(
            r"(?i)(?<![A-Za-z])(?:password|passwort|passcode|passphrase|pwd|pin(?: code)?)"
            r"(?: (?:is|was|to)|[ \t]{0,2}[:=])[ \t]{1,3}[\"'“`]?(\d{4,8}(?!\d)|[^\s\"'“”`<>]{6,64}(?<![.,!?]))"
        ),
        0.7,
    ),
)  # fmt: skip
_STANDS_IN = re.compile(
    r"(?i)x{4,}|\*{3,}|\.{3}|…|^(?:your|my|the|an?|some|test|dummy|fake|sample|example|change|insert|replace|redacted|null"
    r"|none|undefined|true|false|env|os|process|self|config|settings?|secrets?|vault|tokens?|password)(?![a-z])"
    r"|example|placeholder|changeme|^(.)\1+$|^/|://|^\[[A-Z_]+_[0-9a-f]+\]?$"
)
_CODE = re.compile(r"[a-z_]\w*\.[a-z_]\w*|^[a-z]+(?:[A-Z][a-z]+)+\d?$|^[a-z]+(?:[_-][a-z]+)+\d?$", re.ASCII)


_HEX = re.compile(r"[0-9a-f]{32,128}|[0-9A-F]{32,128}|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_LOGIN = re.compile(r"://[^\s/@:\"'<>]{0,100}:[^\s/@\"'<>{}$]{1,200}@")
"""What stands in every connection string that holds a password. It begins with its own signs, which are quickly found."""
_PRIVATE_KEY = "private key"
_HINTS = hint_words(_PRIVATE_KEY, *(rule.hints for rule in SURROUNDED))


def find_secrets(text: str) -> Iterator[Span]:
    """The secrets of a text; only the secret part where more makes the shape (`user:password` of a URL)."""
    tokens, there = long_tokens(text), hints_in(text) if text.isascii() else among(text.lower())
    if not tokens and there.isdisjoint(_HINTS):
        return
    if _PRIVATE_KEY in there:
        yield from _private_keys(text)
    for rule in _hinted(tokens, there):
        for match in rule.pattern.finditer(text) if _may_stand(rule, text) else ():
            group = match.lastindex or 0
            start, end = match.span(group)
            if end > start and _counts(rule, text[start:end]):
                yield Span(Kind.SECRET, start, end, rule.name, rule.sure)


def _hinted(tokens: str, there: frozenset[str]) -> Iterator[Rule]:
    """The rules of which a hint stands in a text: marked ones in its long tokens, the others anywhere."""
    if tokens:
        yield from (rule for rule in MARKED if any(hint in tokens for hint in rule.hints))
    yield from (rule for rule in SURROUNDED if not there.isdisjoint(rule.hints))


def _may_stand(rule: Rule, text: str) -> bool:
    """Whether what is quickly looked for stands in a text: not in most that name a web address."""
    return rule.name != "connection_string" or _LOGIN.search(text) is not None


def _private_keys(text: str) -> Iterator[Span]:
    """PEM blocks; one that is cut off goes as far as its lines do."""
    at = 0
    while match := _KEY_HEAD.search(text, at):
        at = match.end()
        close = text.find("-----END", at, at + _LONGEST_KEY)
        end = _KEY_TAIL.match(text, close) if close >= 0 else _KEY_LINES.match(text, at)
        at = end.end() if end is not None else at
        if at - match.end() >= _SHORTEST_KEY:
            yield Span(Kind.SECRET, match.start(), at, "private_key", 1.0)


def _counts(rule: Rule, value: str) -> bool:
    if rule.name == "connection_string":
        name, _, password = value.partition(":")
        return not _STANDS_IN.search(password) and (name, password) != ("user", "pass")
    if rule.name == "named_in_code":
        return _mixed(value) and not _STANDS_IN.search(value) and not _CODE.search(value)
    if rule.name == "authorization_token":
        return _drawn(value) and not _STANDS_IN.search(value)
    if rule.name == "named_in_prose":
        return any(sign.isdigit() for sign in value) and not _STANDS_IN.search(value)
    return rule.name != "openai" or _mixed(value)


def _drawn(value: str) -> bool:
    """Whether it has a form in which tokens are made: 32 hexadecimal digits or more, a UUID, or both cases beside digits.
    Tutorials' stand-ins, which somebody typed (`wef4fwef54te`), have small letters of the whole alphabet."""
    cases = any(sign.islower() for sign in value) and any(sign.isupper() for sign in value)
    return _mixed(value) and (cases or _HEX.fullmatch(value) is not None)


def _mixed(value: str) -> bool:
    """Whether it looks drawn: a digit beside letters, and not one sign over and over."""
    return (
        any(sign.isdigit() for sign in value)
        and any(sign.isalpha() for sign in value)
        and len(set(value)) >= min(6, len(value) - 2)
    )
