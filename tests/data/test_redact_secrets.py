"""Secrets of each kind, drawn by the form that its vendor documents; and lines that hold none."""

import base64
import random
import string
import uuid

import pytest

from tunewright.data.redact.secrets import MARKED, find_secrets

WORD = string.ascii_letters + string.digits
URLSAFE, HEX, DIGITS = WORD + "-_", "0123456789abcdef", string.digits
BASE32 = string.ascii_uppercase + "234567"


def drawn(alphabet: str, length: int, seed: int = 5) -> str:
    return "".join(random.Random(f"{alphabet}{length}{seed}").choices(alphabet, k=length))


MADE = {
    "huggingface": "hf_" + drawn(string.ascii_letters, 34),
    "google_api_key": "AIza" + drawn(URLSAFE, 35),
    "google_oauth": "GOCSPX-" + drawn(URLSAFE, 28),
    "anthropic": "sk-ant-api03-" + drawn(URLSAFE, 93) + "AA",
    "openai": "sk-proj-" + drawn(URLSAFE, 156),
    "aws_key_id": "AKIA" + drawn(BASE32, 16),
    "github": "ghp_" + drawn(WORD, 36),
    "gitlab": "glpat-" + drawn(URLSAFE, 20),
    "slack": "-".join(("xoxb", drawn(DIGITS, 12), drawn(DIGITS, 13), drawn(WORD, 24))),
    "stripe": "sk_live_" + drawn(WORD, 24),
    "npm": "npm_" + drawn(WORD, 36),
    "pypi": "pypi-AgEIcHlwaS5vcmc" + drawn(URLSAFE, 140),
    "twilio": "SK" + drawn(HEX, 32),
    "sendgrid": f"SG.{drawn(URLSAFE, 22)}.{drawn(URLSAFE, 43)}",
    "mailgun": "key-" + drawn(HEX, 32),
    "telegram": f"{drawn('123456789', 9)}:AA{drawn(URLSAFE, 33)}",
    "discord": f"{base64.b64encode(drawn('123456789', 18).encode()).decode()}.{drawn(WORD, 6)}.{drawn(WORD, 27)}",
    "shopify": "shpat_" + drawn(HEX, 32),
    "digitalocean": "dop_v1_" + drawn(HEX, 64),
    "databricks": "dapi" + drawn(HEX, 32),
    "square": "sq0csp-" + drawn(URLSAFE, 43),
    "docker": "dckr_pat_" + drawn(URLSAFE, 27),
    "postman": f"PMAK-{drawn(HEX, 24)}-{drawn(HEX, 34)}",
    "grafana": f"glsa_{drawn(WORD, 32)}_{drawn(HEX, 8)}",
    "vault": "hvs." + drawn(URLSAFE, 90),
    "age": "AGE-SECRET-KEY-1" + drawn(string.ascii_uppercase + DIGITS, 58),
    "atlassian": "ATATT3" + drawn(URLSAFE, 180),
    "new_relic": "NRAK-" + drawn(string.ascii_uppercase + DIGITS, 27),
    "notion": "ntn_" + drawn(WORD, 46),
    "linear": "lin_api_" + drawn(WORD, 40),
    "airtable": f"pat{drawn(WORD, 14)}.{drawn(HEX, 64)}",
    "inference_key": "gsk_" + drawn(WORD, 52),
    "jwt": f"eyJ{drawn(WORD, 30)}.eyJ{drawn(WORD, 60)}.{drawn(WORD, 42)}x",
}


def found(text):
    return [(span.rule, text[span.start : span.end]) for span in find_secrets(text)]


def test_every_marked_rule_has_an_example():
    assert MADE.keys() == {rule.name for rule in MARKED}


@pytest.mark.parametrize("rule", MADE)
def test_marked_tokens_are_found_whole_wherever_they_stand(rule):
    secret = MADE[rule]
    for around in (
        "{}",
        "It fails with {}, why?",
        'client = Client("{}")',
        '{{"k": "{}"}}',
        "https://x.io/v1?k={}&p=2",
    ):
        assert (rule, secret) in found(around.format(secret))


PASSWORD = drawn(string.ascii_letters, 6) + "7" + drawn(WORD, 5) + "!x"


@pytest.mark.parametrize(
    ("text", "rule", "secret"),
    [
        (f"postgres://bob:{PASSWORD}@db.example.com:5432/main", "connection_string", f"bob:{PASSWORD}"),
        (f"redis://:{PASSWORD}@cache", "connection_string", f":{PASSWORD}"),
        (f'DB_PASSWORD="{PASSWORD}"', "named_in_code", PASSWORD),
        (f"client_secret: {PASSWORD}\n", "named_in_code", PASSWORD),
        (f"my password is {PASSWORD}, ok?", "named_in_prose", PASSWORD),
        ("The PIN is 4821.", "named_in_prose", "4821"),
        ("aws_secret_access_key = " + drawn(WORD, 40), "aws_secret_key", drawn(WORD, 40)),
        ("AccountName=a;AccountKey=" + drawn(WORD, 86) + "==;", "azure_key", drawn(WORD, 86) + "=="),
        (
            "hooks.slack.com/services/" + (hook := f"T{drawn(WORD, 8)}/B{drawn(WORD, 10)}/{drawn(WORD, 24)}"),
            "webhook",
            hook,
        ),
        ("Authorization: Bearer " + drawn(WORD, 30), "authorization", drawn(WORD, 30)),
        (
            "Authorization: Basic " + (basic := base64.b64encode(b"bob:hunter2x").decode()),
            "authorization",
            basic,
        ),
        ("-H 'Authorization: Token " + drawn(HEX, 40) + "'", "authorization_token", drawn(HEX, 40)),
        (f"Authorization: Token {uuid.UUID(int=7**43)}", "authorization_token", str(uuid.UUID(int=7**43))),
        ('"Authorization": "ApiKey ' + drawn(WORD, 30) + '"', "authorization_token", drawn(WORD, 30)),
    ],
)
def test_secrets_that_stand_beside_their_name(text, rule, secret):
    assert (rule, secret) in found(text)


@pytest.mark.parametrize(
    "name", ["RSA PRIVATE KEY", "PRIVATE KEY", "OPENSSH PRIVATE KEY", "PGP PRIVATE KEY BLOCK"]
)
def test_private_keys(name):
    body = "Proc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n" + "\n".join(
        drawn(WORD, 64, at) for at in range(9)
    )
    key = f"-----BEGIN {name}-----\n{body}\n-----END {name}-----"
    assert found(f"here:\n{key}\nthanks") == [("private_key", key)]
    cut = f"-----BEGIN {name}-----\n{drawn(WORD, 64)}\n{drawn(WORD, 64)}"
    assert found(f"here: {cut}") == [("private_key", cut)]
    assert found(f'if line == "-----BEGIN {name}-----":') == []


@pytest.mark.parametrize(
    "text",
    [
        "password = getpass.getpass()",
        "token = tokens[i]; max_tokens=2048",
        "api_key=os.environ['API_KEY']",
        "secret: ${{ secrets.DEPLOY }}",
        "PASSWORD=<your password>",
        'API_KEY="xxxxxxxxxxxxxxxx1"',
        "the password is wrong, I forgot my password",
        "redis://user:password@localhost",
        "https://example.org:8080/a@b",
        "commit " + drawn(HEX, 40),
        "sha256:" + drawn(HEX, 64),
        str(uuid.UUID(int=12345678901234567890)),
        "data:image/png;base64," + base64.b64encode(random.Random(1).randbytes(400)).decode(),
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAA" + drawn(WORD, 44) + " me",
        "skills, hf_token, glpat, npm_config_registry, sk-learn",
        "pin 4 is high; the spin is 1/2",
        "Authorization: Token wef4fwef54te4t5teerdfgghrtgdg53",
        "Authorization: Token your_token_goes_here_AND_1_more",
        "authorization: token based, as Token authentication usually is",
    ],
)
def test_what_is_no_secret(text):
    assert found(text) == []
