import json
from collections.abc import Callable, Iterator
from typing import Any, ClassVar

import pytest
from django.contrib.auth.hashers import MD5PasswordHasher
from django.core.cache import cache
from django.http import HttpResponse
from django.test import Client

from tenants import tokens
from tenants.models import User

Call = Callable[..., HttpResponse]

BAD_TOKEN = {"detail": "This token is not valid, or no longer.", "code": "bad_token"}
TOO_MANY = {"detail": "Too many requests. Please wait a moment.", "code": "too_many_requests"}


@pytest.fixture(autouse=True)
def fresh_counters() -> Iterator[None]:
    """Content is cached, and the cache outlives a test."""
    cache.clear()
    yield
    cache.clear()


@pytest.fixture
def call(client: Client) -> Call:
    """`call("GET", "/users/me", by=user)`: one request to the API, signed in as `by` or with `token`."""

    def send(method: str, path: str, body: Any = None, *, by: User | None = None, token: str = "") -> HttpResponse:
        bearer = tokens.start_family(by).access_token if by else token
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        return client.generic(
            method,
            f"/api/v1{path}",
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers=headers,
        )

    return send


class CountingHasher(MD5PasswordHasher):
    """A real hasher that counts its work, which is what a sign-in's time consists of."""

    count: ClassVar[int] = 0

    def encode(self, password: str, salt: str) -> str:
        CountingHasher.count += 1
        return super().encode(password, salt)


@pytest.fixture
def hashes(settings: Any) -> type[CountingHasher]:
    settings.PASSWORD_HASHERS = ["tests.tenants.conftest.CountingHasher"]
    CountingHasher.count = 0
    return CountingHasher
