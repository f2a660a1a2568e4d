"""The real site as a subprocess, a fake Claude over HTTP, and Chromium."""

import os
import re
import shutil
from collections.abc import Iterator
from typing import Any, Protocol

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.e2e.site import SAM, Site, serve_site
from tests.e2e.west import West, make_west
from tests.fakes.claude import Gate

# What Chromium would ask of the outside world by itself, in a place that has none.
QUIET = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
# Generous, because the suite's other workers may have the machine busy.
PATIENCE_MS = 20_000


class Visit(Protocol):
    """Opens a page for a person who is signed in, or for nobody; `forgiving` matches complaints that are expected."""

    def __call__(
        self, email: str = "", *, width: int = 1440, height: int = 900, forgiving: str = "", **context: Any
    ) -> Page: ...


class Limited(Protocol):
    """Gives North a limit of tokens for a person's day, of which Sam has used so many."""

    def __call__(
        self, *, tokens: int, used: int, when_used_up: str = "practice", cheaper_percent: int = 100
    ) -> None: ...


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if item.nodeid.startswith("tests/e2e/"):
            item.add_marker(pytest.mark.e2e)


@pytest.fixture(scope="session")
def chromium() -> str:
    found = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if found is None:
        reason = "Chromium is not installed (Debian: apt install chromium)"
        pytest.fail(reason) if os.environ.get("CI") else pytest.skip(reason)
    return found


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Site]:
    with serve_site(tmp_path_factory.mktemp("site")) as site:
        yield site


@pytest.fixture(scope="package")
def browser(chromium: str) -> Iterator[Browser]:
    # For this folder's tests alone: while Playwright runs, its event loop keeps Django's ORM from this thread.
    expect.set_options(timeout=PATIENCE_MS)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=chromium, args=QUIET)
        yield browser
        browser.close()


@pytest.fixture
def visit(site: Site, browser: Browser) -> Iterator[Visit]:
    """Anything that a browser complains about, on any page of the test, fails it."""
    contexts, complaints = [], []

    def is_own(url: str) -> bool:
        return url.startswith((site.url, "data:", "blob:", "about:"))

    def visit(email: str = "", *, width: int = 1440, height: int = 900, forgiving: str = "", **context: Any) -> Page:
        viewport = {"width": width, "height": height}
        opened = browser.new_context(base_url=site.url, viewport=viewport, locale="en-GB", **context)
        contexts.append(opened)
        opened.set_default_timeout(PATIENCE_MS)
        if email:
            cookies = site.sign_in(email)
            opened.add_cookies([{"name": name, "value": cookies[name], "url": site.url} for name in cookies])

        def complain(sentence: str) -> None:
            if not (forgiving and re.search(forgiving, sentence)):
                complaints.append(sentence)

        opened.on("console", lambda message: complain(message.text) if message.type == "error" else None)
        opened.on("weberror", lambda error: complain(str(error.error)))
        opened.on("request", lambda request: None if is_own(request.url) else complain(f"asks for {request.url}"))
        return opened.new_page()

    yield visit
    for opened in contexts:
        opened.close()
    site.claude.forget_script()
    assert complaints == []


@pytest.fixture(scope="session")
def west(site: Site, tmp_path_factory: pytest.TempPathFactory) -> West:
    return make_west(site, tmp_path_factory.mktemp("poisoned"))


@pytest.fixture
def page(visit: Visit) -> Page:
    """A visitor whom nobody knows yet, at desktop size."""
    return visit()


@pytest.fixture
def gate(site: Site) -> Iterator[Gate]:
    """Holds a scripted answer until it is released, at the latest with the end of the test."""
    gate = Gate()
    yield gate
    gate.release()


@pytest.fixture
def limited(site: Site) -> Iterator[Limited]:
    """The limit ends with the test."""

    def limited(*, tokens: int, used: int, when_used_up: str = "practice", cheaper_percent: int = 100) -> None:
        site.sql(_LIMIT, str(tokens), when_used_up, str(cheaper_percent))
        site.sql(_USED, str(used), SAM)

    yield limited
    site.sql(_NO_LIMIT)


_LIMIT = """
    UPDATE tutoring_tutorpolicy
    SET user_daily_tokens = %s::int, notice_percent = 80, when_used_up = %s, cheaper_percent = nullif(%s::int, 100)
    FROM tenants_university AS place WHERE place.id = university_id AND place.slug = 'north'
"""
_NO_LIMIT = "UPDATE tutoring_tutorpolicy SET user_daily_tokens = NULL, notice_percent = NULL, cheaper_percent = NULL"
_USED = """
    INSERT INTO tutoring_budget (
        university_id, scope, subject_id, period_start, used_tokens, used_usd, reserved_tokens, reserved_usd
    )
    SELECT place.id, 'user', person.id, (now() AT TIME ZONE place.time_zone)::date, %s::int, 0, 0, 0
    FROM tenants_university AS place, tenants_user AS person
    WHERE place.slug = 'north' AND person.email = %s
    ON CONFLICT (university_id, scope, subject_id, period_start) DO UPDATE SET used_tokens = excluded.used_tokens
"""
