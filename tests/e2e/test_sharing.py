"""A conversation is shared, read by a stranger, and gone from an open page when it is revoked."""

import re

import httpx
import pytest
from playwright.sync_api import Page, expect

from tests.e2e import pages
from tests.e2e.conftest import Visit
from tests.e2e.site import SAM, Site
from tests.e2e.test_accessibility import RICH, violations
from tests.e2e.test_screens import width_beyond_screen
from tests.fakes.claude import Answer

# What Chromium says of an answer that an open page waits for.
GONE = "status of 404"


def sharing_page(site: Site, lesson: str, answer: str = "By chance.") -> str:
    site.claude.will(Answer([answer]))
    return f"{pages.conversation(site, lesson=site.lessons()[lesson])}share/"


def publish(page: Page, path: str, name: str = "") -> str:
    page.goto(path)
    page.get_by_label("Name shown").fill(name)
    page.get_by_role("button", name="Share by link").click()
    return page.get_by_label("The link", exact=True).input_value()


def test_a_stranger_reads_what_the_preview_showed(site: Site, visit: Visit):
    author, stranger = visit(SAM), visit()
    author.goto(sharing_page(site, "Least squares", RICH))
    author.get_by_label("Name shown").fill("A curious one")
    preview = author.get_by_role("region", name="What readers will see").locator("article")
    # The preview takes the name as it is typed.
    expect(preview.first.get_by_role("heading").first).to_have_text("A curious one")
    shown = preview.evaluate_all("articles => articles.map(each => each.innerText)")
    author.get_by_label("The link works for").select_option("1 day")
    author.get_by_role("button", name="Share by link").click()
    url = author.get_by_label("The link", exact=True).input_value()
    assert re.fullmatch(re.escape(site.url) + r"/share/[\w-]{22}/", url)

    stranger.goto(url)
    read = stranger.locator("article")
    expect(read).to_have_count(2)
    assert read.evaluate_all("articles => articles.map(each => each.innerText)") == shown
    content = stranger.content()
    assert [word for word in (SAM, "Sam ", "Sorensen") if word in content] == []
    author.goto(author.url)
    expect(author.get_by_text("1 view", exact=True)).to_be_visible()


def test_the_link_is_copied_and_told_once(site: Site, visit: Visit):
    page = visit(SAM, permissions=["clipboard-read", "clipboard-write"])
    url = publish(page, sharing_page(site, "What averages do"))
    page.get_by_role("button", name="Copy").click()
    expect(page.get_by_text("Copied.")).to_be_visible()
    assert page.evaluate("navigator.clipboard.readText()") == url
    page.goto(page.url)
    assert url not in page.content()


def test_revoking_empties_a_page_that_is_open(site: Site, visit: Visit):
    author, stranger = visit(SAM), visit(forgiving=GONE)
    url = publish(author, sharing_page(site, "Confidence intervals", "A secret answer."))
    # Asks often here, so that the test need not wait for the site's own five seconds.
    stranger.route(url, lambda route: _asking_often(route))
    stranger.goto(url)
    expect(stranger.get_by_text("A secret answer.")).to_be_visible()
    with stranger.expect_request(lambda request: request.method == "HEAD"):
        pass
    assert views(site) == 1

    author.get_by_role("button", name="Revoke").click()
    expect(author.get_by_role("button", name="Revoke")).to_have_count(0)
    assert httpx.get(url).status_code == 404
    expect(stranger.get_by_role("heading", name="No longer shared")).to_be_visible()
    assert "A secret answer." not in stranger.content()
    assert stranger.title() == "No longer shared"
    assert views(site) == 1


def _asking_often(route) -> None:
    if route.request.method == "HEAD":
        route.continue_()
        return
    answer = route.fetch()
    route.fulfill(response=answer, body=answer.text().replace('data-every-ms="5000"', 'data-every-ms="100"'))


def views(site: Site) -> int:
    return site.sql("SELECT view_count FROM tutoring_share ORDER BY created_at DESC LIMIT 1")[0][0]


def test_it_works_without_a_script(site: Site, visit: Visit):
    author = visit(SAM, java_script_enabled=False)
    stranger = visit(java_script_enabled=False)
    url = publish(author, sharing_page(site, "Residuals and R²"), "C.")
    expect(author.get_by_role("button", name="Copy")).to_have_count(0)
    stranger.goto(url)
    expect(stranger.locator("article h3").first).to_have_text("C.")
    author.get_by_role("button", name="Revoke").first.click()
    assert httpx.get(url).status_code == 404


def test_the_log_and_the_database_do_not_know_the_link(site: Site):
    made = site.post(SAM, sharing_page(site, "Samples from a sample"), days="7")
    path, token = re.search(r'value="[^"]*(/share/([\w-]{22})/)"', made.text).groups()
    for address in (path, path.upper(), f"/api/v1/chat/share/{token}", f"{path}x/", f"/accounts/login/?next={path}"):
        httpx.get(f"{site.url}{address}", headers={"Referer": f"{site.url}{path}"})
    assert "/share/[token]/" in site.log
    assert site.log.replace(token.upper(), "").count(token) == 0
    assert '"request": "GET /share/' in site.log


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_and_nothing_is_too_wide(site: Site, visit: Visit, scheme: str):
    wide = "A-very-long-word-that-has-no-place-to-break" * 4 + "\n\n    and code " + "x" * 200
    path = sharing_page(site, "The shape of data", f"{RICH}\n{wide}")
    look = {"color_scheme": scheme, "reduced_motion": "reduce"}
    author, stranger = visit(SAM, **look), visit(**look)
    url = publish(author, path, "n" * 80)
    stranger.goto(url)
    for page in (author, stranger):
        assert violations(page) == []
        for width in (390, 320):
            page.set_viewport_size({"width": width, "height": 844})
            assert width_beyond_screen(page) <= 0
