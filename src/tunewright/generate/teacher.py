"""TeacherSpec: a model that writes or judges rows, behind an address or on this machine. Settings only."""

import os
import re
from ipaddress import ip_address
from typing import Self
from urllib.parse import SplitResult, parse_qsl, urlsplit

from pydantic import ConfigDict, Field, model_validator

from tunewright.core.generation import Decoding
from tunewright.core.spec import Spec

_SECRET = re.compile(r"key|token|secret|sig|pass|auth|code", re.IGNORECASE)
_REMOTE_ONLY = (
    *("model", "key_env", "key_header", "concurrency", "timeout_s", "retries"),
    *("price_in", "price_out", "max_cost"),
)


class EndpointSpec(Spec):
    """An OpenAI-compatible chat endpoint: where it is, and how it is asked."""

    model_config = ConfigDict(hide_input_in_errors=True)  # it may be a key that stands in the wrong place

    url: str = ""
    """Where it answers: what stands before `/chat/completions` (https://api.openai.com/v1, http://localhost:8000/v1)."""
    model: str = ""
    """The model's name there."""
    key_env: str = ""
    """The environment variable that holds the key. The key itself stands in no file."""
    key_header: str = "Authorization"
    """The header that carries the key: `api-key` on Azure. In `Authorization` it stands as `Bearer KEY`."""
    concurrency: int = Field(8, ge=1, le=256)
    """Requests that are under way at once; fewer for a while where the server says that it is too much."""
    timeout_s: float = Field(300, gt=0, le=3600)
    """Seconds that one answer may take in all; then it counts as failed and is asked for again, and a server may charge for
    both."""
    retries: int = Field(4, ge=0, le=20)
    """How often a request is tried again that failed for a while: too many of them, a fault of the server, no connection."""

    @model_validator(mode="after")
    def _can_be_asked(self) -> Self:
        """Nothing said here shows what stands in `key_env` or behind the url's `?`: it may be a key."""
        if self.key_env and not re.fullmatch(r"[A-Z_][A-Z0-9_]{0,63}", self.key_env):
            raise ValueError(
                "key_env is the name of an environment variable in capitals (OPENAI_API_KEY), never the key itself"
            )
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9-]{0,30}", self.key_header):
            raise ValueError("key_header is the name of a header (Authorization, api-key), without the key")
        if self.url and (fault := _fault(self.url, bool(self.key_env))):
            raise ValueError(fault)
        if self.url and not self.model:
            raise ValueError("it has a url and no model: name the model that is to answer there")
        return self

    @property
    def address(self) -> str:
        """The url as it is shown: without what stands behind its `?`, whichever way it is written."""
        return urlsplit(self.url)._replace(path=self._path, query="", fragment="").geturl()

    @property
    def chat_url(self) -> str:
        """Where conversations are sent."""
        path = f"{self._path}/chat/completions"
        return urlsplit(self.url)._replace(path=path, fragment="").geturl()

    @property
    def _path(self) -> str:
        return urlsplit(self.url).path.rstrip("/").removesuffix("/chat/completions")

    @property
    def is_loopback(self) -> bool:
        """Whether it is on this machine."""
        return _is_loopback(urlsplit(self.url).hostname or "")


class TeacherSpec(EndpointSpec):
    """A teacher: `url` and `model` of an OpenAI-compatible endpoint, or `base` (and an adapter) to run on this machine."""

    base: str = ""
    """Of a teacher on this machine: `embedded`, a hub id, or a folder's path."""
    adapter: str = ""
    """The folder of an adapter for that base, relative to the project's."""
    max_new_tokens: int = Field(512, ge=1)
    """The most tokens an answer may have, where the operation does not say."""
    temperature: float = Field(0.7, ge=0, allow_inf_nan=False)
    """How freely it answers, where the operation does not say; 0 takes the likeliest token each time."""
    top_p: float = Field(1.0, gt=0, le=1)
    """Sample from the smallest set of tokens with this much probability, where the operation does not say."""
    seed: int = 0
    """Seeds the sampling, where the operation does not say. Servers take it as a wish."""
    price_in: float = Field(0, ge=0, allow_inf_nan=False)
    """What a million tokens of prompts cost, in `prices.currency`."""
    price_out: float = Field(0, ge=0, allow_inf_nan=False)
    """What a million tokens of answers cost."""
    max_calls: int | None = Field(None, ge=1)
    """The most answers that one operation may ask for; what is beyond is not asked. None: any number."""
    max_cost: float | None = Field(None, gt=0, allow_inf_nan=False)
    """What one operation's answers may cost; what is beyond is not asked. None: anything."""

    @model_validator(mode="after")
    def _is_one_or_the_other(self) -> Self:
        if not self.url and not self.base:
            raise ValueError("it needs a url and a model (an endpoint), or a base (a model on this machine)")
        if self.url and (self.base or self.adapter):
            raise ValueError("it has a url and a base: a teacher is behind an address or on this machine")
        if not self.url and (odd := [name for name in _REMOTE_ONLY if name in self.model_fields_set]):
            raise ValueError(f"{odd[0]} is for teachers with a url")
        if self.max_cost is not None and not (self.price_in or self.price_out):
            raise ValueError("max_cost needs price_in and price_out, what a million tokens cost")
        return self

    @property
    def is_ours(self) -> bool:
        """Whether asking it costs nothing and sends nothing away: it is on this machine, without a key or a price."""
        free = self.is_loopback and not (self.key_env or self.price_in or self.price_out)
        return not self.url or free

    @property
    def decoding(self) -> Decoding:
        """How it answers where the operation does not say."""
        return Decoding(
            max_new_tokens=self.max_new_tokens,
            temperature=self.temperature,
            top_p=self.top_p,
            seed=self.seed,
        )


def key_in(name: str) -> str:
    """The key that an environment variable holds. Raises ValueError, without it, where it is none."""
    key = os.environ.get(name, "").strip()
    if not key:
        raise ValueError(f"the environment variable {name} is not set")
    if not (key.isascii() and key.isprintable()):
        raise ValueError(
            f"what the environment variable {name} holds is no key: it has signs that no header takes"
        )
    return key


def _fault(url: str, with_key: bool) -> str | None:
    """Why an address cannot be asked, without showing what may be secret in it."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "the url cannot be read: write https://HOST/v1"
    if parts.scheme not in ("http", "https") or not host or not url.isprintable() or " " in url:
        return "the url is no web address: write https://HOST/v1"
    if "@" in parts.netloc:
        return "the url holds a name or password: put the key into an environment variable and name that in key_env"
    if any(_SECRET.search(name) for name, _ in parse_qsl(parts.query, keep_blank_values=True)):
        return "the url seems to hold a key: put it into an environment variable and name that in key_env"
    return _open_road(parts, host) if with_key else None


def _open_road(parts: SplitResult, host: str) -> str | None:
    if parts.scheme == "https" or _is_loopback(host):
        return None
    return f"with a key, {host} must be asked by https: over http anyone on the way can read the key"


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
