import json
from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from django.http import HttpResponse
from django.test import Client

from tenants.models import User
from tenants.tokens import start_family
from tests.tenants.conftest import Call, fresh_counters

__all__ = ["fresh_counters"]


@pytest.fixture
def kept_connection() -> Iterator[None]:
    """A test inside one transaction would lose it: channels closes connections after each crossing from async code.

    The vendor's own test clients do the same.
    """
    with patch("channels.db.close_old_connections", lambda: None):
        yield


@pytest.fixture
def call(client: Client, kept_connection: None) -> Call:
    """One request to the API, signed in as `by`: what its answer is where it is no stream."""

    def send(
        method: str, path: str, body: Any = None, *, by: User | None = None, headers: dict[str, str] | None = None
    ) -> HttpResponse:
        bearer = {"Authorization": f"Bearer {start_family(by).access_token}"} if by else {}
        return client.generic(
            method,
            f"/api/v1{path}",
            b"" if body is None else json.dumps(body).encode(),
            content_type="application/json",
            headers=bearer | (headers or {}),
        )

    return send
