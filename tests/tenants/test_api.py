"""lms/api.py: the one shape of errors, and the API's description of itself."""

import re

import pytest
from django.test import Client

from tests.tenants.conftest import Call


@pytest.mark.parametrize(
    "address", ["", "nothing", "v1/nothing", "v1/users/me/", "v2/users/me", "v1/universities/a/b/c"]
)
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_no_such_address_of_the_api(db: None, address: str, method: str) -> None:
    answer = Client(enforce_csrf_checks=True).generic(method, f"/api/{address}")
    assert (answer.status_code, answer.json()) == (404, {"detail": "There is nothing here.", "code": "not_found"})


def test_validation_errors_do_not_repeat_what_was_sent(call: Call, db: None) -> None:
    answer = call("POST", "/auth/login", {"email": "secret", "password": ["secret"], "more": "secret"})
    assert answer.status_code == 422
    assert answer.json() == {
        "detail": [
            {
                "loc": ["body", "payload", "email"],
                "msg": "Value error, must be an e-mail address",
                "type": "value_error",
            },
            {"loc": ["body", "payload", "password"], "msg": "Input should be a valid string", "type": "string_type"},
            {"loc": ["body", "payload", "more"], "msg": "Extra inputs are not permitted", "type": "extra_forbidden"},
        ],
        "code": "invalid_input",
    }


def test_the_description_of_the_api_is_served(client: Client, db: None) -> None:
    answer = client.get("/api/v1/openapi.json")
    assert answer.status_code == 200
    assert {"/api/v1/auth/login", "/api/v1/users/me", "/api/v1/universities"} <= answer.json()["paths"].keys()


def test_the_interactive_page_runs_no_script_of_its_own(client: Client, db: None) -> None:
    answer = client.get("/api/v1/docs")
    assert answer.status_code == 200
    assert re.findall(r"<script(?![^>]*\ssrc=\"/static/)[^>]*>", answer.text) == [
        '<script type="application/json" id="swagger-settings">'
    ]
    policy = answer.headers["Content-Security-Policy"].split("; ")
    assert {"script-src 'self'", "style-src 'self'", "img-src 'self' data:"} <= set(policy)


def test_every_operation_is_closed_unless_it_is_meant_to_be_open(client: Client, db: None) -> None:
    paths = client.get("/api/v1/openapi.json").json()["paths"]
    is_open = {path for path, methods in paths.items() for each in methods.values() if "security" not in each}
    assert is_open == {
        "/api/v1/auth/check-email",
        "/api/v1/auth/register",
        "/api/v1/auth/register-with-onboarding",
        "/api/v1/auth/login",
        "/api/v1/auth/refresh",
        "/api/v1/auth/logout",
        "/api/v1/universities/open",
        "/api/v1/countries",
        "/api/v1/chat/share/{token}",
    }
