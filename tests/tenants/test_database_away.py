"""A database that is away for a moment is no fault of ours to hide: people and programs are told to try again."""

import pytest
from django.db import InterfaceError, OperationalError, connection
from django.test import Client

from tenants.tokens import start_family
from tests.tenants.conftest import Call

SENTENCE = "The site cannot reach its database at the moment. Please try again."


def cut(error):
    """Every statement finds the connection gone."""

    def instead(execute, sql, params, many, context):
        raise error("server closed the connection unexpectedly")

    return connection.execute_wrapper(instead)


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_page_says_so_without_asking_the_database_once_more(world, caplog, error):
    client = Client(raise_request_exception=False)
    client.force_login(world.sam)
    with cut(error):
        answer = client.get("/north/")
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert SENTENCE in answer.text
    assert [record.msg["event"] for record in caplog.records if record.name == "tenants.error_pages"] == [
        "database_away"
    ]


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_program_says_so(call: Call, world, caplog, error):
    token = start_family(world.sam).access_token
    with cut(error):
        answer = call("GET", "/universities", token=token)
    assert (answer.status_code, answer["Retry-After"]) == (503, "2")
    assert answer.json() == {"detail": SENTENCE, "code": "unavailable"}
    assert [record.msg["event"] for record in caplog.records if record.name == "lms.api"] == ["database_away"]
