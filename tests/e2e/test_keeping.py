"""What one does with what was said: copy it, say what one thinks of it, save, name and delete it."""

import json
import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.pages import conversation
from tests.e2e.panel import Panel, open_lesson
from tests.e2e.site import SAM, Site
from tests.fakes.claude import Answer

SOURCE = "A **reply** with $x^2$ and\n\n- a list\n- of two"


def feedback(site: Site, panel: Panel) -> list[tuple]:
    reply = panel.reply.get_attribute("data-message")
    return site.sql("SELECT thumb, comment FROM tutoring_feedback WHERE message_id = %s", reply)


def test_a_reply_is_copied_as_it_was_written(site: Site, visit: Visit):
    page = visit(SAM, permissions=["clipboard-read", "clipboard-write"])
    panel = open_lesson(page, site.lessons()["Shuffling the labels"])
    site.claude.will(Answer([SOURCE[:10], SOURCE[10:]]))
    panel.ask("Why shuffle?")
    panel.expect_end()
    for _ in ("from the stream", "from the server"):
        page.evaluate("navigator.clipboard.writeText('something else')")
        panel.reply.get_by_role("button", name="Copy this reply").click()
        expect(panel.said).to_have_text("Copied.")
        assert page.evaluate("navigator.clipboard.readText()") == SOURCE
        page.reload()


def test_after_the_first_reply_there_are_ways_on(site: Site, visit: Visit):
    panel = open_lesson(visit(SAM), site.lessons()["Shuffling the labels"])
    anew, whole = (
        panel.root.get_by_role("button", name="New conversation"),
        panel.root.get_by_role("link", name="Whole page"),
    )
    expect(anew).to_be_hidden()
    panel.ask("Why shuffle?")
    panel.expect_end()
    expect(anew).to_be_visible()
    whole.click()
    expect(panel.page.get_by_role("heading", name="Why shuffle?", level=1)).to_be_visible()


def test_feedback_is_given_explained_and_taken_back(site: Site, visit: Visit):
    panel = open_lesson(visit(SAM), site.lessons()["Shuffling the labels"])
    panel.ask("Why shuffle?")
    panel.expect_end()
    up, down = (panel.reply.get_by_role("button", name=name, exact=True) for name in ("Helpful", "Not helpful"))
    down.click()
    expect(panel.said).to_have_text("Thank you. Your feedback is kept.")
    expect(down).to_have_attribute("aria-pressed", "true")
    assert feedback(site, panel) == [("down", "")]
    panel.reply.get_by_label("What was wrong?").fill("Too short.\nNo example.")
    panel.reply.get_by_role("button", name="Send").click()
    expect(panel.reply.get_by_text("Your comment")).to_be_visible()
    assert feedback(site, panel) == [("down", "Too short.\nNo example.")]
    live = panel.conversation()
    panel.page.reload()
    assert panel.conversation() == live

    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")
    expect(down).to_have_attribute("aria-pressed", "false")
    expect(panel.reply.get_by_label("What was good about it?")).to_have_value("Too short.\nNo example.")
    up.click()
    expect(panel.said).to_have_text("Your feedback is taken back.")
    assert feedback(site, panel) == []
    live = panel.conversation()
    panel.page.reload()
    assert panel.conversation() == live


def test_feedback_that_is_lost_on_the_way_is_not_shown_as_kept(site: Site, visit: Visit):
    page = visit(SAM, forgiving="ERR_FAILED")
    panel = open_lesson(page, site.lessons()["Shuffling the labels"])
    panel.ask("Why shuffle?")
    panel.expect_end()
    page.route("**/feedback/**", lambda route: route.abort())
    up = panel.reply.get_by_role("button", name="Helpful", exact=True)
    up.click()
    expect(panel.said).to_have_text("Your feedback could not be kept. Please try again.")
    expect(up).to_have_attribute("aria-pressed", "false")
    page.unroute("**/feedback/**")
    up.click()
    expect(up).to_have_attribute("aria-pressed", "true")


def test_feedback_without_a_script(site: Site, visit: Visit):
    page = visit(SAM, java_script_enabled=False)
    page.goto(conversation(site, lesson=site.lessons()["Shuffling the labels"]))
    panel = Panel(page)
    expect(panel.reply.get_by_role("button", name="Copy this reply")).to_have_count(0)
    panel.reply.get_by_role("button", name="Not helpful").click()
    panel.reply.get_by_text("Add a comment").click()
    panel.reply.get_by_label("What was wrong?").fill("No example.")
    panel.reply.get_by_role("button", name="Send").click()
    assert feedback(site, panel) == [("down", "No example.")]
    panel.reply.get_by_role("button", name="Not helpful").click()
    expect(panel.reply.get_by_text("Your comment")).to_be_hidden()
    assert feedback(site, panel) == []


@pytest.mark.parametrize("scripts", [True, False])
def test_a_conversation_is_saved_named_and_deleted(site: Site, visit: Visit, scripts: bool):
    page = visit(SAM, java_script_enabled=scripts)
    lesson = site.lessons()["Samples from a sample"]
    site.claude.will(Answer([SOURCE]))
    open_lesson(page, lesson)
    Panel(page).words.fill("What is left over?")
    Panel(page).press("Ask")
    expect(Panel(page).body).to_contain_text("A reply with")
    page.goto(lesson)
    page.get_by_role("link", name="Whole page").click()
    path = page.url

    page.get_by_text("Rename").click()
    page.get_by_label("Title").fill("What is left")
    page.get_by_role("button", name="Save the title").click()
    expect(page.get_by_role("heading", name="What is left", level=1)).to_be_visible()
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as Markdown").click()
    assert saved.value.suggested_filename == "what-is-left.md"
    text = Path(saved.value.path()).read_text()
    assert (text.startswith("# What is left\n"), f"\n\n{SOURCE}\n" in text) == (True, True)
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save as JSON").click()
    messages = json.loads(Path(saved.value.path()).read_text())["messages"]
    assert [message["body"] for message in messages] == ["What is left over?", SOURCE]

    page.get_by_role("link", name="Delete", exact=True).click()
    expect(page.get_by_text("2 messages, with all their versions")).to_be_visible()
    page.get_by_role("link", name="Keep it").click()
    expect(Panel(page).replies).to_have_count(1)
    page.get_by_role("link", name="Delete", exact=True).click()
    page.get_by_role("button", name="Delete it").click()
    expect(page.get_by_text("The conversation is deleted.")).to_be_visible()
    expect(page.get_by_role("link", name="What is left", exact=True)).to_have_count(0)
    session = re.search("[0-9a-f-]{36}", path).group()
    assert site.sql("SELECT 1 FROM tutoring_message WHERE session_id = %s", session) == []
