"""Where a request came from, and whose word about it is believed."""

from typing import Any

import pytest
from django.test import RequestFactory

from tenants.requests import client_address


def page(address: str, forwarded: str | None = None) -> Any:
    headers = {"X-Forwarded-For": forwarded} if forwarded is not None else {}
    return RequestFactory().get("/", REMOTE_ADDR=address, headers=headers)


def socket(address: str, *forwarded: str) -> Any:
    headers = [(b"host", b"localhost"), *((b"x-forwarded-for", value.encode()) for value in forwarded)]
    return {"type": "websocket", "client": [address, 50_000] if address else None, "headers": headers}


@pytest.mark.parametrize("origin", [page, socket])
@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("2001:DB8:0:0::7", "2001:db8::7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("", "unknown"),
        ("a-socket-file", "unknown"),
    ],
)
def test_the_address_of_the_connection(origin: Any, address: str, expected: str) -> None:
    assert client_address(origin(address)) == expected


@pytest.mark.parametrize("origin", [page, socket])
def test_a_forwarded_address_is_not_believed_without_a_proxy(origin: Any) -> None:
    assert client_address(origin("192.0.2.7", "198.51.100.1")) == "192.0.2.7"


@pytest.mark.parametrize("origin", [page, socket])
@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        # What the proxy saw comes last; before it stands what the client claims.
        ("198.51.100.1", "198.51.100.1"),
        ("10.9.9.9, 198.51.100.1", "198.51.100.1"),
        ("[2001:db8::1]:4711", "2001:db8::1"),
        ("198.51.100.1:4711", "198.51.100.1"),
        ("nonsense", "unknown"),
    ],
)
def test_behind_a_proxy_it_is_what_that_one_saw(settings: object, origin: Any, forwarded: str, expected: str) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert client_address(origin("127.0.0.1", forwarded)) == expected


def test_a_header_that_comes_twice_is_one_list(settings: object) -> None:
    settings.ALLAUTH_TRUSTED_PROXY_COUNT = 1
    assert client_address(socket("127.0.0.1", "10.9.9.9", "198.51.100.1")) == "198.51.100.1"
