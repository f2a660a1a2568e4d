import re

import pytest
from django.core.exceptions import PermissionDenied, SuspiciousOperation
from django.http import HttpRequest, HttpResponse
from django.test import Client
from django.urls import include, path

from lms.urls import handler400, handler403, handler404, handler500
from lms.urls import urlpatterns as own
from tenants.errors import Conflict, DomainError, NotVisible, TooManyRequests
from tests.world import World

__all__ = ["handler400", "handler403", "handler404", "handler500"]


class Leaving(DomainError):
    status = 503
    message = "The site is being restarted."
    retry_after_s = 5


CAUSES = {
    "suspicious": SuspiciousOperation("secret reason"),
    "denied": PermissionDenied("secret reason"),
    "conflict": Conflict("Somebody was faster."),
    "slow": TooManyRequests(),
    "spent": TooManyRequests("Only 20 messages per minute are taken from one account.", retry_after_s=42),
    "leaving": Leaving(),
    "hidden": NotVisible("secret reason"),
    "broken": RuntimeError("secret reason"),
}


def fail(request: HttpRequest, cause: str) -> HttpResponse:
    raise CAUSES[cause]


urlpatterns = [path("fail/<cause>/", fail), path("api/fail/<cause>/", fail), path("", include(own))]


@pytest.fixture
def browser() -> Client:
    return Client(raise_request_exception=False)


@pytest.mark.urls("tests.tenants.test_error_pages")
class TestPages:
    @pytest.mark.parametrize(
        ("cause", "status", "title"),
        [
            ("suspicious", 400, "That request made no sense"),
            ("denied", 403, "You may not do this"),
            ("hidden", 404, "There is nothing here"),
            ("conflict", 409, "Something changed in the meantime"),
            ("slow", 429, "A little slower, please"),
            ("leaving", 503, "Back in a moment"),
            ("broken", 500, "Something broke on our side"),
        ],
    )
    def test_a_page_in_words_that_tells_no_reason(
        self, browser: Client, db: None, cause: str, status: int, title: str
    ) -> None:
        answer = browser.get(f"/fail/{cause}/")
        assert (answer.status_code, f"<h1>{title}</h1>" in answer.text) == (status, True)
        assert "secret reason" not in answer.text
        assert "unsafe" not in answer.headers["Content-Security-Policy"]

    @pytest.mark.parametrize(("cause", "wait"), [("slow", "60"), ("spent", "42"), ("leaving", "5"), ("conflict", None)])
    def test_says_when_to_come_back_where_waiting_helps(
        self, browser: Client, db: None, cause: str, wait: str | None
    ) -> None:
        answer = browser.get(f"/fail/{cause}/")
        assert (answer.headers.get("Retry-After"), str(CAUSES[cause]) in answer.text) == (wait, True)

    @pytest.mark.parametrize(
        ("cause", "status", "code"),
        [
            ("suspicious", 400, "invalid_input"),
            ("denied", 403, "not_allowed"),
            ("broken", 500, "server_error"),
        ],
    )
    def test_the_shape_of_the_api_under_its_addresses(
        self, browser: Client, db: None, cause: str, status: int, code: str
    ) -> None:
        answer = browser.get(f"/api/fail/{cause}/")
        assert (answer.status_code, answer.json().keys(), answer.json()["code"]) == (status, {"detail", "code"}, code)
        assert "secret reason" not in answer.text


def test_a_host_that_is_not_ours(client: Client, db: None) -> None:
    answer = client.get("/", headers={"Host": "evil.example"})
    assert (answer.status_code, "evil.example" in answer.text) == (400, False)


def test_foreign_and_absent_are_the_same_page(client: Client, world: World) -> None:
    client.force_login(world.sam)
    pages = [client.get(address) for address in ("/south/nothing/here/", "/nowhere/nothing/here/")]
    assert [page.status_code for page in pages] == [404, 404]
    tokenless = [re.sub(r'csrf\w*" value="\w+', "", page.text) for page in pages]
    assert tokenless[0] == tokenless[1]


def test_the_address_of_a_form_leads_back_to_its_page(world: World) -> None:
    browser = Client()
    browser.force_login(world.sam)
    answer = browser.get(f"/north/learn/{world.offering.pk}/{world.item.pk}/ask/")
    assert (answer.status_code, answer["Allow"]) == (405, "POST")
    assert f'href="/north/learn/{world.offering.pk}/{world.item.pk}/"' in answer.text
    assert "please send it once more" in answer.text
