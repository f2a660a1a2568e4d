import email
import re
from email.message import Message

from playwright.sync_api import Page, expect

from tests.e2e.panel import Panel
from tests.e2e.site import Site
from tests.fakes.claude import Answer, Gate

NAME, ADDRESS, SECRET = "Noor Newcomer", "noor@north.example", "a tram at half past seven"
FIRST, SECOND, LAST = "The mean is **24 minutes**.\n\n", "- One late tram moves it.\n", "- The median stays.\n"
QUESTION = "Why is the mean not enough?"


def mail_to(site: Site, address: str) -> Message:
    files = sorted((site.folder / "mail").iterdir())
    messages = [email.message_from_bytes(file.read_bytes()) for file in files]
    return next(message for message in messages if message["To"] == address)


def test_from_the_front_door_to_a_finished_conversation(site: Site, page: Page, gate: Gate):
    sign_up(page)
    confirm(site, page)
    sign_in(page)
    panel = open_first_lesson(page)
    stop_a_reply(site, panel, gate)
    finish_a_reply(site, panel)

    told = panel.spoken()
    page.reload()
    assert panel.spoken() == told

    page.get_by_role("link", name="Conversations", exact=True).click()
    page.get_by_role("heading", name="Thinking with Data").wait_for()
    page.get_by_role("link", name=QUESTION, exact=True).click()
    expect(page.get_by_role("heading", name=QUESTION)).to_be_visible()
    assert panel.spoken() == told


def sign_up(page: Page) -> None:
    page.goto("/")
    page.get_by_role("link", name="Create an account").click()
    page.get_by_label("Full name").fill(NAME)
    page.get_by_label("Email").fill(ADDRESS)
    page.get_by_label("Password").fill(SECRET)
    page.get_by_label("University").select_option("University of the North")
    page.get_by_role("button", name="Create the account").click()
    expect(page.get_by_role("heading", name="One more step")).to_be_visible()


def confirm(site: Site, page: Page) -> None:
    text = mail_to(site, ADDRESS).get_payload(decode=True).decode()
    page.goto(re.search(r"http\S+", text).group())
    page.get_by_role("button", name="Yes, confirm it").click()


def sign_in(page: Page) -> None:
    page.get_by_label("Email").fill(ADDRESS)
    page.get_by_label("Password").fill(SECRET)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name="My universities")).to_be_visible()


def open_first_lesson(page: Page) -> Panel:
    page.get_by_role("link", name="University of the North").click()
    page.get_by_role("link", name="Thinking with Data").click()
    page.get_by_role("button", name="Enrol").click()
    expect(page.get_by_text("You are enrolled.")).to_be_visible()
    page.get_by_role("link", name="Start").click()
    expect(page.get_by_role("heading", name="Centre and spread", level=1)).to_be_visible()
    return Panel(page)


def stop_a_reply(site: Site, panel: Panel, gate: Gate) -> None:
    site.claude.will(Answer([FIRST, SECOND, LAST], gate=gate, gate_after=2))
    panel.ask(QUESTION)
    expect(panel.body.locator("strong")).to_have_text("24 minutes")
    expect(panel.body).to_contain_text("One late tram moves it.")
    expect(panel.said).to_have_text("The tutor is writing…")
    panel.press("Stop")
    panel.expect_end("stopped")
    expect(panel.reply.get_by_text("Stopped.")).to_be_visible()
    expect(panel.body.locator("li")).to_have_text(["One late tram moves it."])
    assert site.claude.requests[-1].disconnected.wait(5)


def finish_a_reply(site: Site, panel: Panel) -> None:
    second = Gate()
    site.claude.will(Answer([FIRST, SECOND, LAST], gate=second, gate_after=1))
    panel.ask("Go on, please.")
    expect(panel.body).to_have_text("The mean is 24 minutes.")
    second.release()
    panel.expect_end()
    expect(panel.body.locator("li")).to_have_text(["One late tram moves it.", "The median stays."])
