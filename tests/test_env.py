from decimal import Decimal

import pytest
from django.core.exceptions import ImproperlyConfigured

from lms import env


def refusal(read):
    with pytest.raises(ImproperlyConfigured) as refused:
        read()
    return str(refused.value)


@pytest.fixture
def value(monkeypatch):
    return lambda text: monkeypatch.setenv("IT", text)


@pytest.mark.parametrize(("text", "expected"), [("on", True), ("FALSE", False), ("", True), ("  ", True)])
def test_booleans(value, text, expected):
    value(text)
    assert env.boolean("IT", default=True) is expected


def test_a_bad_boolean_names_what_is_allowed(value):
    value("maybe")
    message = "IT is 'maybe', but it must be one of true, false, yes, no, on, off, 1, 0."
    assert refusal(lambda: env.boolean("IT", default=True)) == message


@pytest.mark.parametrize("text", ["-1", "11", "1.5", "\u0661", "ten"])
def test_integers_outside_their_range_are_refused(value, text):
    value(text)
    message = f"IT is '{text}', but it must be a whole number from 0 to 10."
    assert refusal(lambda: env.integer("IT", 5, minimum=0, maximum=10)) == message


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon"])
def test_seconds_are_above_zero(value, text):
    value(text)
    message = f"IT is '{text}', but it must be a number of seconds above 0 and at most 60."
    assert refusal(lambda: env.seconds("IT", 5, maximum=60)) == message


@pytest.mark.parametrize("text", ["example.org", "ftp://example.org", "https://"])
def test_addresses_are_absolute(value, text):
    value(text)
    message = f"IT is '{text}', but it must be an absolute URL that starts with http:// or https://."
    assert refusal(lambda: env.url("IT", "")) == message


def test_an_address_loses_its_last_slash(value):
    value("https://example.org/")
    assert env.url("IT", "") == "https://example.org"


def test_a_choice_is_one_of_its_list(value):
    value("openai")
    message = "IT is 'openai', but it must be one of anthropic, practice."
    assert refusal(lambda: env.choice("IT", "practice", ("practice", "anthropic"))) == message


def test_lists_and_required_values(value):
    value(" a.example, ,b.example ")
    assert env.listed("IT", []) == ["a.example", "b.example"]
    value("")
    assert env.listed("IT", ["x"]) == ["x"]
    assert refusal(lambda: env.required("IT", "it is needed")) == "IT is not set: it is needed."


def test_prices(value):
    value('{"m": {"input": 3, "output": 15, "cache_write": 3.75, "cache_read": 0.3}}')
    assert env.prices("IT", {}) == {
        "m": {"input": Decimal(3), "output": Decimal(15), "cache_write": Decimal("3.75"), "cache_read": Decimal("0.3")}
    }


@pytest.mark.parametrize("text", ["3", "[]", "{", '{"m": 3}', '{"m": {"input": "x"}}'])
def test_prices_that_are_none_are_refused(value, text):
    value(text)
    assert refusal(lambda: env.prices("IT", {})).startswith(f"IT is {text!r}, but it must be a JSON object of models")


def test_prices_are_complete(value):
    value('{"m": {"input": 3}}')
    message = "IT: 'm' must give exactly cache_read, cache_write, input, output, none below 0."
    assert refusal(lambda: env.prices("IT", {})) == message
