from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.panel import Panel, open_lesson
from tests.e2e.site import PASSWORD, SAM, Site
from tests.fakes.claude import Answer, Gate


def test_a_whole_session_by_forms_alone(site: Site, visit: Visit):
    page = visit(java_script_enabled=False)
    sign_in(page)
    page.get_by_role("link", name="University of the North").first.click()
    page.get_by_role("link", name="Thinking with Data").first.click()
    page.goto(site.lessons()["Updating on evidence"])
    ask_twice(site, page)
    mark_done(page)
    page.goto(site.lessons()["Check: estimation"])
    check_answers(page)
    sign_out(page)


def test_a_reply_is_stopped_from_another_tab(site: Site, visit: Visit, gate: Gate):
    page = visit(SAM, java_script_enabled=False)
    panel = open_lesson(page, site.lessons()["What averages do"])
    site.claude.will(Answer(["This much.", " Not this."], gate=gate, gate_after=1))
    asked = len(site.claude.requests)
    panel.words.fill("How much?")
    panel.root.get_by_role("button", name="Ask", exact=True).click(no_wait_after=True)
    site.claude.request(asked, timeout_s=20)
    other = page.context.new_page()
    other.goto(site.lessons()["What averages do"])
    expect(Panel(other).said).to_have_text("The tutor is writing…")
    Panel(other).press("Stop")
    for each in (Panel(other), panel):
        each.expect_end("stopped")
        expect(each.body).to_have_text("This much.")


def sign_in(page: Page) -> None:
    page.goto("/")
    page.get_by_role("main").get_by_role("link", name="Sign in").click()
    page.get_by_label("Email").fill(SAM)
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="My universities")).to_be_visible()


def ask_twice(site: Site, page: Page) -> None:
    panel = Panel(page)
    site.claude.will(Answer(["Before the *evidence*."]), Answer(["After it."]))
    panel.words.fill("What is a prior?")
    panel.press("Ask")
    expect(panel.questions).to_have_text(["What is a prior?"])
    expect(panel.body.locator("em")).to_have_text("evidence")
    panel.words.fill("And a posterior?")
    panel.press("Ask")
    expect(panel.replies).to_have_count(2)
    expect(panel.body).to_have_text("After it.")
    expect(panel.words).to_have_value("")
    page.get_by_role("link", name="Whole page").click()
    panel.words.fill("And what lies between?")
    panel.press("Ask")
    expect(panel.replies).to_have_count(3)
    expect(page.get_by_role("heading", name="What is a prior?", level=1)).to_be_visible()
    page.get_by_role("link", name="Updating on evidence").click()
    panel.press("New conversation")
    expect(page.get_by_text("What would you like to understand better?")).to_be_visible()
    expect(panel.replies).to_have_count(0)


def mark_done(page: Page) -> None:
    page.get_by_role("button", name="Mark as done").click()
    expect(page.get_by_text("You have done this lesson")).to_be_visible()


def check_answers(page: Page) -> None:
    margin, meaning = (page.get_by_role("group", name=f"Question {number}") for number in (1, 2))
    margin.get_by_label("Your result, a number").fill("3.9")
    meaning.get_by_label("The true mean is certainly").check()
    page.get_by_role("button", name="Check my answers").click()
    expect(margin.get_by_text("Right.")).to_be_visible()
    expect(margin.get_by_label("Your result, a number")).to_have_value("3.9")
    expect(meaning.get_by_text("Not yet.")).to_be_visible()
    expect(meaning.get_by_label("The true mean is certainly")).to_be_checked()
    expect(page.get_by_text("2 of 7 points.")).to_be_visible()


def sign_out(page: Page) -> None:
    page.get_by_role("button", name="account menu").click()
    page.get_by_role("link", name="Sign out").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("link", name="Sign up")).to_be_visible()
