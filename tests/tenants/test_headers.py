"""What each kind of answer tells browsers and caches, and the cookies, as a site behind https sends them."""

from typing import Any
from uuid import UUID

import pytest
from asgiref.sync import sync_to_async
from django.http import HttpResponse
from django.test import AsyncClient, Client, TransactionTestCase

from tenants.tokens import start_family
from tests.courses.test_media import make_asset
from tests.test_settings import HTTPS
from tests.tutoring.scenes import ask, end, sams_session
from tests.tutoring.shared_talk import Talk, make_talk
from tests.world import PASSWORD, World, make_world
from tutoring.actions.sharing import publish_share

# With a page for each refusal.
pytestmark = pytest.mark.urls("tests.tenants.test_error_pages")

# By the alphabet: django-csp sends them in an order of its own in each process.
CSP = (
    "base-uri 'none'; connect-src 'self'; default-src 'none'; font-src 'self'; form-action 'self';"
    " frame-ancestors 'none'; frame-src https://www.youtube-nocookie.com; img-src 'self'; manifest-src 'self';"
    " media-src 'self'; script-src 'self'; style-src 'self'"
)
EVERY = {
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": CSP,
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": (
        "accelerometer=(), browsing-topics=(), camera=(), display-capture=(), gamepad=(), geolocation=(),"
        " gyroscope=(), hid=(), idle-detection=(), interest-cohort=(), local-fonts=(), magnetometer=(),"
        " microphone=(), midi=(), payment=(), publickey-credentials-create=(), publickey-credentials-get=(),"
        " screen-wake-lock=(), serial=(), usb=(), window-management=(), xr-spatial-tracking=()"
    ),
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=31536000; includeSubDomains; preload",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
# Looked at too: where one of these is sent, the table says so.
RARE = ("Access-Control-Allow-Origin", "Content-Security-Policy-Report-Only", "X-Robots-Tag")

NEVER = {"Cache-Control": "no-store"}
ADMIN = {"Cache-Control": "max-age=0, no-cache, no-store, must-revalidate, private"}
MEDIA = {"Cache-Control": "private, max-age=300"}
SHARED = NEVER | {"Referrer-Policy": "no-referrer", "X-Robots-Tag": "noindex, nofollow"}
# The style sheet of the interactive page draws its arrows as data.
DOCS = NEVER | {"Content-Security-Policy": CSP.replace("img-src 'self'", "img-src 'self' data:")}

# What is asked for, by whom, the status, and where its headers differ from those of `EVERY`.
Row = tuple[str, str, int, dict[str, str]]
PAGES: dict[str, Row] = {
    "the front page": ("/", "", 200, {}),
    "the front page of a person": ("/", "sam", 200, {}),
    "the sign-in": ("/accounts/login/", "", 200, ADMIN),
    "the way to the sign-in": ("/north/", "", 302, {}),
    "a university's page": ("/north/", "sam", 200, {}),
    "a profile": ("/accounts/profile/", "sam", 200, {}),
    "a lesson": ("/north/learn/{offering}/{item}/", "sam", 200, {}),
    "conversations": ("/north/tutor/", "sam", 200, {}),
    "the preview of a shared conversation": ("/north/tutor/{session}/share/", "cana", 200, NEVER),
    "a shared conversation": ("/share/{token}/", "", 200, SHARED),
    "a shared conversation that is none": ("/share/none/", "", 404, SHARED),
    "an exported conversation": ("/north/tutor/{session}/export.md", "cana", 200, NEVER),
    "the admin's front page": ("/admin/", "ada", 200, ADMIN),
    "a list of the admin": ("/admin/courses/course/", "ada", 200, ADMIN),
    "a form of the admin": ("/admin/courses/course/{course}/change/", "ada", 200, ADMIN),
    "the admin's catalogue of sentences": ("/admin/jsi18n/", "ada", 200, {}),
    "the page of 400": ("/fail/suspicious/", "", 400, {}),
    "the page of 403": ("/fail/denied/", "", 403, {}),
    "the page of 404": ("/north/nothing/here/", "sam", 404, {}),
    "the page of 405": ("/north/learn/{offering}/{item}/done/", "sam", 405, {}),
    "the page of 500": ("/fail/broken/", "", 500, {}),
}
FILES: dict[str, Row] = {
    "a media file": ("/north/media/{course}/x.png", "sam", 200, MEDIA),
    "a drawing, which may style itself": (
        "/north/media/{course}/x.svg",
        "sam",
        200,
        MEDIA | {"Content-Security-Policy": "default-src 'none'; sandbox; style-src 'unsafe-inline'"},
    ),
    "a static file": ("/static/css/tokens.css", "", 200, {"Cache-Control": "max-age=60, public"}),
    "a static file that is none": ("/static/none.css", "", 404, {}),
    "the process's health": ("/healthz", "", 200, {}),
    "the site's health": ("/readyz", "", 200, {}),
}
API: dict[str, Row] = {
    "an answer": ("/api/v1/users/me", "bearer", 200, NEVER),
    "a refusal": ("/api/v1/users/me", "", 401, NEVER),
    "nothing": ("/api/v1/nothing", "bearer", 404, NEVER),
    "a fault of ours": ("/api/fail/broken/", "", 500, NEVER),
    "a shared conversation": ("/api/v1/chat/share/{token}", "", 200, NEVER | {"X-Robots-Tag": "noindex, nofollow"}),
    "its description": ("/api/v1/openapi.json", "", 200, DOCS),
    "its interactive page": ("/api/v1/docs", "", 200, DOCS),
}


@pytest.fixture(autouse=True)
def https(settings: Any) -> None:
    for name, value in HTTPS.items():
        setattr(settings, name, value)


@pytest.fixture
def talk(world: World) -> Talk:
    return make_talk(world)


@pytest.fixture
def places(talk: Talk) -> dict[str, Any]:
    """What stands in the addresses of the tables."""
    world = talk.world
    make_asset(world.course, "x.png", "image/png")
    make_asset(world.course, "x.svg", "image/svg+xml", b"<svg/>")
    return {
        "offering": world.offering.pk,
        "item": world.item.pk,
        "course": world.course.pk,
        "session": talk.session.pk,
        "token": publish_share(by=talk.cana, session_id=talk.session.pk).token,
    }


def watched(answer: HttpResponse) -> dict[str, str]:
    found = {name: answer.headers[name] for name in (*EVERY, *RARE) if name in answer.headers}
    directives = sorted(found.get("Content-Security-Policy", "").split("; "))
    return found | {"Content-Security-Policy": "; ".join(directives)}


@pytest.mark.parametrize("table", [PAGES, FILES, API], ids=["pages", "files", "api"])
def test_every_kind_of_answer_has_every_header(table: dict[str, Row], talk: Talk, places: dict[str, Any]) -> None:
    found = {}
    for kind, (path, person, _status, _changes) in table.items():
        browser = Client(raise_request_exception=False)
        sent = {"Authorization": f"Bearer {start_family(talk.world.sam).access_token}"} if person == "bearer" else {}
        if person in ("sam", "ada", "cana"):
            browser.force_login(talk.cana if person == "cana" else getattr(talk.world, person))
        answer = browser.get(path.format(**places), secure=True, headers=sent)
        found[kind] = answer.status_code, watched(answer)
        if answer.streaming:
            # To its end, where the file is closed.
            answer.getvalue()
    assert found == {kind: (status, EVERY | changes) for kind, (_, _, status, changes) in table.items()}


class StreamTest(TransactionTestCase):
    """Outside a test's transaction, as the site runs."""

    async def test_a_stream_has_them_too(self) -> None:
        world = await sync_to_async(make_world)()
        generation = await sync_to_async(replied)(world)
        bearer = (await sync_to_async(start_family)(world.sam)).access_token
        path = f"/api/v1/chat/generations/{generation}/events"
        answer = await AsyncClient().get(path, secure=True, headers={"Authorization": f"Bearer {bearer}"})
        assert (answer.headers["Content-Type"], watched(answer)) == ("text/event-stream; charset=utf-8", EVERY | NEVER)
        assert b"event: done" in b"".join([piece async for piece in answer])


def replied(world: World) -> UUID:
    asked = ask(world, sams_session(world))
    end(asked)
    return asked.generation


def test_over_http_there_is_the_way_to_https_alone(client: Client, db: None) -> None:
    answer = client.get("/north/?x=1")
    plain = {name: value for name, value in EVERY.items() if name != "Strict-Transport-Security"}
    assert (answer.status_code, answer.headers["Location"]) == (301, "https://testserver/north/?x=1")
    assert watched(answer) == plain
    # But a load balancer is answered.
    assert [client.get(path).status_code for path in ("/healthz", "/readyz")] == [200, 200]


def attributes(answer: HttpResponse, name: str) -> dict[str, Any]:
    """Those that a cookie is sent with, without the moment in `expires`, which `max-age` says too."""
    return {key: value for key, value in answer.cookies[name].items() if value and key != "expires"}


def test_cookies_are_for_https_and_for_this_site(world: World) -> None:
    browser = Client()
    page = browser.get("/accounts/login/", secure=True)
    form = {"login": world.sam.email, "password": PASSWORD}
    signed_in = browser.post("/accounts/login/", form, secure=True)
    profile = {"full_name": "Sam", "locale": "en", "time_zone": "UTC"}
    saved = browser.post("/accounts/profile/", profile, secure=True)
    ours = {"httponly": True, "path": "/", "samesite": "Lax", "secure": True}
    assert attributes(page, "csrftoken") == ours | {"max-age": 31_449_600}
    assert attributes(signed_in, "sessionid") == ours | {"max-age": 1_209_600}
    assert attributes(saved, "messages") == ours
    assert browser.cookies.keys() == {"csrftoken", "sessionid", "messages"}
