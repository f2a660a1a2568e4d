"""The API keeps what its own description says: for everybody, whatever is sent, no answer is broken or undescribed."""

import uuid
from contextlib import nullcontext
from typing import Any
from unittest.mock import patch

import pytest
import schemathesis
from django.core.cache import cache
from django.test import Client, override_settings
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from requests import Request
from schemathesis.checks import CHECKS
from schemathesis.core.transport import Response

from lms.api import api
from tenants.tokens import start_family
from tests.security.matrix.cast import MEDIA_PATH, Cast, make_cast
from tests.security.matrix.runner import is_async, undone

OPERATIONS = [found.ok() for found in schemathesis.openapi.from_dict(api.get_openapi_schema()).get_all_operations()]
PEOPLE = ["nobody", "sam", "tess", "ada", "oona", "pia"]
CHECKED = CHECKS.get_by_names(
    ["not_a_server_error", "status_code_conformance", "content_type_conformance", "response_schema_conformance"]
)
# Who asks is not drawn by chance.
NOT_SENT = ("authorization", "host")
UNLIMITED = {"TUTOR_SENDS_PER_MINUTE_PER_USER": 10**6, "TUTOR_SENDS_PER_MINUTE_PER_ADDRESS": 10**6}
QUICK = settings(
    max_examples=15, deadline=None, derandomize=True, database=None, suppress_health_check=list(HealthCheck)
)


class Caller:
    """One person with their token. Replies are taken and not begun."""

    def __init__(self, cast: Cast, person: str) -> None:
        user = cast.people[person]
        self.cast, self.person = cast, person
        self.token = start_family(user).access_token if user else ""

    def check(self, operation: Any, data: st.DataObject) -> None:
        cache.clear()
        case = data.draw(operation.as_strategy())
        if data.draw(st.booleans()):
            self.point_at_rows(case)
        # What is done in threads of its own can only be done for good.
        may_be_undone = nullcontext() if is_async(case.formatted_path) else undone()
        with may_be_undone, patch("tutoring.runner.Runner.start"):
            case.validate_response(self.answer(case), checks=CHECKED)

    def point_at_rows(self, case: Any) -> None:
        """At what there is, where chance alone would never find it."""
        mine = self.cast.students["oona" if self.person == "oona" else "sam"]
        home, rows = mine.home, mine.rows
        known = {
            "university": home.university.slug, "slug": home.university.slug, "offering": home.offering.pk,
            "offering_id": home.offering.pk, "course_id": home.course.pk, "item_id": home.item.pk,
            "content_item": home.item.pk, "session_id": rows["session"].pk, "generation_id": rows["generation"].pk,
            "message_id": rows["reply"].pk, "reply_id": rows["reply"].pk, "share_id": rows["share"].pk,
            "token": mine.token, "enrollment_id": rows["enrollment"].pk, "name": "own/prompt", "label": "production",
            "path": MEDIA_PATH,
        }  # fmt: skip
        for part in (case.path_parameters, case.query, case.body):
            if isinstance(part, dict):
                part |= {name: _plain(known[name]) for name in part if name in known}

    def answer(self, case: Any) -> Response:
        sent = case.as_transport_kwargs(base_url="http://testserver")
        request = Request(sent["method"], sent["url"], params=sent["params"], json=sent.get("json")).prepare()
        headers = {
            name: value for name, value in sent["headers"].items() if name.lower() not in ("authorization", "host")
        }
        headers |= {"Authorization": f"Bearer {self.token}"} if self.token else {}
        path = request.url.removeprefix("http://testserver")
        answered = Client(raise_request_exception=False).generic(
            sent["method"], path, request.body or b"", content_type="application/json", headers=headers
        )
        content = b"" if answered.streaming else answered.content
        told = {name.lower(): [value] for name, value in answered.items()}
        return Response(answered.status_code, told, content, request, elapsed=0, verify=False)


def _plain(value: Any) -> Any:
    return str(value) if isinstance(value, uuid.UUID) else value


def _ask(caller: Caller, operation: Any) -> None:
    @QUICK
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        caller.check(operation, data)

    ask()


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("person", PEOPLE)
def test_the_api_answers_as_it_says(person: str) -> None:
    caller = Caller(make_cast(), person)
    with override_settings(**UNLIMITED):
        for operation in sorted(OPERATIONS, key=lambda operation: operation.method == "delete"):
            _ask(caller, operation)
