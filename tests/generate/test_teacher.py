"""The settings of a teacher: what can be asked, and what is refused without showing what may be secret."""

from typing import Any

import pytest
from pydantic import ValidationError

from tunewright.core.generation import Decoding
from tunewright.generate.teacher import EndpointSpec, TeacherSpec

SECRET = "sk-very-secret"


def wrong(**settings: Any) -> str:
    with pytest.raises(ValidationError) as caught:
        TeacherSpec.model_validate(settings)
    (problem,) = caught.value.errors()
    assert SECRET not in problem["msg"]
    return problem["msg"].removeprefix("Value error, ")


def remote(url: str, **settings: Any) -> TeacherSpec:
    return TeacherSpec(url=url, model="m", **settings)


def test_an_address_is_told_without_what_stands_behind_it():
    azure = remote("https://my.example/openai/deployments/gpt/?api-version=2024-10-21")
    assert azure.chat_url == (
        "https://my.example/openai/deployments/gpt/chat/completions?api-version=2024-10-21"
    )
    assert azure.address == "https://my.example/openai/deployments/gpt"
    for end in ("", "/", "/chat/completions", "/chat/completions/", "#there"):
        near = remote(f"http://localhost:8000/v1{end}")
        assert (near.address, near.chat_url) == (
            "http://localhost:8000/v1",
            "http://localhost:8000/v1/chat/completions",
        )


def test_a_teacher_is_behind_an_address_or_on_this_machine():
    assert wrong() == "it needs a url and a model (an endpoint), or a base (a model on this machine)"
    assert wrong(adapter="a").startswith("it needs a url and a model")
    assert (
        wrong(url="https://h.example/v1")
        == "it has a url and no model: name the model that is to answer there"
    )
    both = "it has a url and a base: a teacher is behind an address or on this machine"
    assert wrong(url="https://h.example/v1", model="m", base="embedded") == both
    for name, value in {"retries": 1, "key_env": "KEY", "price_in": 1, "model": "m"}.items():
        assert wrong(base="embedded", **{name: value}) == f"{name} is for teachers with a url"
    assert TeacherSpec(base="embedded", max_calls=5).max_calls == 5
    assert (
        wrong(url="https://h.example/v1", model="m", max_cost=2)
        == "max_cost needs price_in and price_out, what a million tokens cost"
    )


@pytest.mark.parametrize(
    ("url", "fault"),
    [
        ("host.example/v1", "the url is no web address: write https://HOST/v1"),
        ("ftp://host.example", "the url is no web address: write https://HOST/v1"),
        ("https://", "the url is no web address: write https://HOST/v1"),
        ("https://a b.example", "the url is no web address: write https://HOST/v1"),
        ("https://[::1", "the url cannot be read: write https://HOST/v1"),
        ("https://h.example:port/v1", "the url cannot be read: write https://HOST/v1"),
        (
            f"https://me:{SECRET}@h.example/v1",
            "the url holds a name or password: put the key into an environment variable and name that in key_env",
        ),
        (
            f"https://h.example/v1?api_key={SECRET}",
            "the url seems to hold a key: put it into an environment variable and name that in key_env",
        ),
    ],
)
def test_an_address_that_cannot_be_asked_is_refused(url: str, fault: str):
    assert wrong(url=url, model="m") == fault


def test_a_key_goes_by_name_and_over_a_road_that_nobody_reads():
    name = "key_env is the name of an environment variable in capitals (OPENAI_API_KEY), never the key itself"
    assert wrong(url="https://h.example/v1", model="m", key_env=SECRET) == name
    header = "key_header is the name of a header (Authorization, api-key), without the key"
    assert wrong(url="https://h.example/v1", model="m", key_header=f"Bearer {SECRET}") == header
    assert wrong(url="http://h.example/v1", model="m", key_env="KEY") == (
        "with a key, h.example must be asked by https: over http anyone on the way can read the key"
    )
    for url in ("http://localhost:1/v1", "http://127.0.0.9/v1", "http://[::1]:80/v1"):
        assert remote(url, key_env="KEY").is_loopback
    for url in ("http://10.0.0.5:8000/v1", "http://some.localhost:8000/v1", "http://localhost.example/v1"):
        assert not remote(url).is_loopback


def test_an_error_does_not_show_what_was_given():
    for odd in ({"key_env": SECRET}, {"api_key": SECRET}, {"model": [SECRET]}):
        with pytest.raises(ValidationError) as caught:
            TeacherSpec.model_validate({"url": "https://h.example/v1", "model": "m", **odd})
        assert SECRET not in str(caught.value)


def test_what_costs_or_is_elsewhere_is_not_ours():
    near = "http://localhost:8000/v1"
    assert remote(near).is_ours
    assert TeacherSpec(base="embedded").is_ours
    for other in (remote("http://10.0.0.5/v1"), remote(near, key_env="KEY"), remote(near, price_out=1)):
        assert not other.is_ours


def test_how_it_answers_where_nobody_says():
    spec = TeacherSpec(base="embedded", temperature=0.2, seed=3, max_new_tokens=9)
    assert spec.decoding == Decoding(temperature=0.2, seed=3, max_new_tokens=9)
    assert EndpointSpec(url="https://h.example/v1", model="m").concurrency == 8
