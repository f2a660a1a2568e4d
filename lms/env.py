"""Readers of environment variables that refuse a bad value with a sentence instead of guessing."""

import json
import os
from collections.abc import Collection
from decimal import Decimal, InvalidOperation
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured

_TRUE = {"1", "true", "yes", "on"}
_FALSE = {"0", "false", "no", "off"}

Prices = dict[str, dict[str, Decimal]]


def _refuse(name: str, value: str, allowed: str) -> ImproperlyConfigured:
    return ImproperlyConfigured(f"{name} is {value!r}, but it must be {allowed}.")


def text(name: str, default: str = "") -> str:
    """The variable without surrounding blanks; an empty one counts as unset."""
    return os.environ.get(name, "").strip() or default


def required(name: str, why: str) -> str:
    value = text(name)
    if not value:
        raise ImproperlyConfigured(f"{name} is not set: {why}.")
    return value


def boolean(name: str, default: bool) -> bool:
    value = text(name).lower()
    if not value:
        return default
    if value in _TRUE:
        return True
    if value in _FALSE:
        return False
    raise _refuse(name, value, "one of true, false, yes, no, on, off, 1, 0")


def integer(name: str, default: int, *, minimum: int, maximum: int) -> int:
    value = text(name)
    if not value:
        return default
    if value.isascii() and value.isdigit() and minimum <= int(value) <= maximum:
        return int(value)
    raise _refuse(name, value, f"a whole number from {minimum} to {maximum}")


def seconds(name: str, default: float, *, maximum: float = 3600) -> float:
    value = text(name)
    if not value:
        return default
    try:
        number = float(value)
    except ValueError:
        number = -1
    if 0 < number <= maximum:
        return number
    raise _refuse(name, value, f"a number of seconds above 0 and at most {maximum:g}")


def choice(name: str, default: str, allowed: Collection[str]) -> str:
    value = text(name, default)
    if value in allowed:
        return value
    raise _refuse(name, value, f"one of {', '.join(sorted(allowed))}")


def listed(name: str, default: list[str]) -> list[str]:
    """A comma-separated list without empty members."""
    value = text(name)
    return [part.strip() for part in value.split(",") if part.strip()] if value else default


def url(name: str, default: str, *, schemes: Collection[str] = ("http", "https")) -> str:
    """An absolute URL without a trailing slash; an empty default means that none is needed."""
    value = text(name, default)
    if not value:
        return ""
    parts = urlsplit(value)
    if parts.scheme in schemes and parts.hostname:
        return value.rstrip("/")
    raise _refuse(name, value, f"an absolute URL that starts with {' or '.join(f'{s}://' for s in schemes)}")


def prices(name: str, default: Prices) -> Prices:
    """USD per million tokens: `{"model": {"input": 3, "output": 15, "cache_write": 3.75, "cache_read": 0.3}}`."""
    value = text(name)
    if not value:
        return default
    kinds = {"input", "output", "cache_write", "cache_read"}
    try:
        table = {
            model: {kind: Decimal(str(usd)) for kind, usd in row.items()} for model, row in json.loads(value).items()
        }
    except (ValueError, AttributeError, InvalidOperation) as error:
        raise _refuse(name, value, "a JSON object of models, each with prices in USD per million tokens") from error
    for model, row in table.items():
        if set(row) != kinds or min(row.values()) < 0:
            raise ImproperlyConfigured(f"{name}: {model!r} must give exactly {', '.join(sorted(kinds))}, none below 0.")
    return table
