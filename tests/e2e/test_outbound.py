"""What stands in replies, lessons and names makes no reader's browser ask another host for anything.

The browser sends everything through a proxy that writes it down. The pages' content security policy is taken away,
which would stop most of it too: here the markup has to hold alone.
"""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.e2e.conftest import QUIET, Visit
from tests.e2e.panel import open_lesson
from tests.e2e.poison import TEXT, name
from tests.e2e.site import Site
from tests.e2e.west import ADMIN, FILM, STUDENT, TEACHER, West
from tests.fakes.claude import Answer, Gate
from tests.fakes.proxy import RecordingProxy

# Whatever a page opens by itself or waits with is opened, and what that asks for comes before what is asked for last.
OPEN_ALL = """async () => {
    for (const each of document.querySelectorAll("details")) each.open = true;
    await new Promise(resolve => requestAnimationFrame(() => requestAnimationFrame(resolve)));
    await fetch("/healthz", { cache: "no-store" });
}"""
REMOTE = "<!doctype html><title>Control</title><img src='http://control.evil.example/a.png'><img src='%s'>"
# Seven characters a piece, so that most tags come in several.
PIECES = [TEXT[start : start + 7] for start in range(0, len(TEXT), 7)]


@pytest.fixture(scope="module")
def proxy(site: Site) -> Iterator[RecordingProxy]:
    with RecordingProxy(site.url) as proxy:
        yield proxy


@pytest.fixture(scope="module")
def browser(browser: Browser, chromium: str, proxy: RecordingProxy) -> Iterator[Browser]:
    """In place of the suite's: one that gets nowhere but through the proxy."""
    way = [f"--proxy-server={proxy.url}", "--proxy-bypass-list=<-loopback>"]
    other = browser.browser_type.launch(executable_path=chromium, args=[*QUIET, *way])
    yield other
    other.close()


@pytest.fixture(autouse=True)
def nothing_goes_out(proxy: RecordingProxy) -> Iterator[None]:
    asked = len(proxy.inside)
    proxy.outside.clear()
    yield
    assert len(proxy.inside) > asked
    assert proxy.outside == []


def test_the_proxy_sees_what_a_page_asks_for(site: Site, visit: Visit, proxy: RecordingProxy):
    page = visit(forgiving="asks for|ERR_TUNNEL|502", bypass_csp=True)
    page.route("**/control", lambda route: route.fulfill(body=REMOTE % "https://control.evil.example/b.png"))
    page.goto(f"{site.url}/control")
    assert sorted(proxy.outside) == ["CONNECT control.evil.example:443", "GET http://control.evil.example/a.png"]
    page.goto("/healthz")
    proxy.outside.clear()


def test_a_reply_asks_for_nothing_as_it_comes_and_as_it_stays(
    west: West, visit: Visit, proxy: RecordingProxy, gate: Gate
):
    page = visit(STUDENT, height=4000, bypass_csp=True)
    panel = open_lesson(page, west.lessons["text"])
    west.site.claude.will(Answer(PIECES, gate=gate, gate_after=len(PIECES) * 2 // 3))
    panel.ask(name("question"))
    # The last that was finished before the gate.
    expect(panel.body).to_contain_text("mathml.evil.example")
    expect(panel.reply).to_have_attribute("data-state", "streaming")
    rest(page)
    assert proxy.outside == []
    gate.release()
    panel.expect_end()
    expect(panel.body).to_contain_text("dangling.evil.example")
    rest(page)
    assert proxy.outside == []
    page.reload()
    expect(panel.body).to_contain_text("dangling.evil.example")
    rest(page)


def test_a_shared_conversation_asks_its_readers_for_nothing(west: West, visit: Visit):
    stranger = visit(height=4000, bypass_csp=True)
    stranger.goto(west.share(west.ask("text", name("question"), TEXT)))
    expect(stranger.locator("article").last).to_contain_text("dangling.evil.example")
    rest(stranger)


def test_what_authors_and_students_wrote_asks_students_for_nothing(west: West, visit: Visit):
    page = visit(STUDENT, height=4000, bypass_csp=True)
    conversation = west.ask("quiz", f"{name('question')}\n{TEXT}", TEXT)
    west.share(conversation)
    # The film's page has a test of its own.
    for path in sorted({*west.pages_of_student(conversation)} - {west.lessons["video"]}):
        page.goto(path)
        page.evaluate(OPEN_ALL)
    rest(page)


def test_what_authors_and_students_wrote_asks_staff_for_nothing(west: West, visit: Visit):
    west.comment(west.ask("text", name("question"), TEXT))
    page = visit(ADMIN, height=4000, bypass_csp=True)
    for path in ["/admin/", *west.pages_of_staff()]:
        page.goto(path)
        page.evaluate(OPEN_ALL)
    rest(page)


def test_an_authors_preview_asks_for_nothing(west: West, visit: Visit):
    page = visit(TEACHER, height=4000, bypass_csp=True)
    for editor in west.editors("text", "imported"):
        page.goto(editor)
        page.get_by_role("button", name="Preview as students see it").click()
        expect(page.frame_locator("iframe").locator("body")).to_contain_text("close.evil.example")
        rest(page)


def test_a_film_elsewhere_is_asked_for_when_it_is_opened_and_not_before(
    west: West, visit: Visit, proxy: RecordingProxy
):
    page = visit(STUDENT, forgiving="asks for|ERR_TUNNEL", bypass_csp=True)
    page.goto(west.lessons["video"], wait_until="networkidle")
    assert proxy.outside == []
    player = page.locator("iframe")
    expect(player).to_have_attribute("src", f"https://www.youtube-nocookie.com/embed/{FILM}")
    with page.expect_event("requestfailed", lambda request: FILM in request.url):
        page.get_by_text("Play the video from YouTube").click()
    assert set(proxy.outside) == {"CONNECT www.youtube-nocookie.com:443"}
    proxy.outside.clear()


def rest(page: Page) -> None:
    page.evaluate(OPEN_ALL)
    page.wait_for_load_state("networkidle")
