"""Other replies to a question and other words for one: the conversation is a tree, and every branch stays in reach."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.pages import conversation
from tests.e2e.panel import Panel, open_lesson
from tests.e2e.site import SAM, Site
from tests.fakes.claude import Answer, Gate

LATER, EARLIER = "Later version of this {}", "Earlier version of this {}"


@pytest.fixture
def lesson(site: Site) -> str:
    return site.lessons()["Confounding"]


def begin(site: Site, page: Page, lesson: str) -> Panel:
    """Two questions with their replies."""
    panel = open_lesson(page, lesson)
    site.claude.will(Answer(["The *first* reply."]), Answer(["The second reply."]))
    for number, question in enumerate(("What is a slope?", "And an intercept?"), 1):
        panel.ask(question)
        expect(panel.replies).to_have_count(number)
        panel.expect_end()
    return panel


def turn(panel: Panel, kind: str, way: str) -> None:
    panel.root.get_by_role("link", name=way.format(kind)).locator("visible=true").last.click()


def expect_same_after_a_reload(panel: Panel) -> None:
    live = panel.conversation()
    panel.page.reload()
    assert panel.conversation() == live


def test_a_reply_is_made_anew_in_its_place_and_the_old_one_is_in_reach(site: Site, visit: Visit, lesson: str):
    panel = begin(site, visit(SAM), lesson)
    site.claude.will(Answer(["Another first reply, ", "with **more** in it."]))
    panel.replies.first.get_by_role("button", name="Regenerate").click()
    expect(panel.body).to_have_text("Another first reply, with more in it.")
    panel.expect_end()
    # What had followed the old one is not part of this branch.
    expect(panel.questions).to_have_text(["What is a slope?"])
    panel.expect_version(panel.reply, "2 of 2")
    expect_same_after_a_reload(panel)

    turn(panel, "reply", EARLIER)
    expect(panel.questions).to_have_text(["What is a slope?", "And an intercept?"])
    expect(panel.replies.locator('[data-part="body"]')).to_have_text(["The first reply.", "The second reply."])
    panel.expect_version(panel.replies.first, "1 of 2")
    # Who presses keys can press on, and the address leads back here.
    expect(panel.root.get_by_role("link", name=LATER.format("reply"))).to_be_focused()
    expect_same_after_a_reload(panel)
    turn(panel, "reply", LATER)
    expect(panel.body).to_have_text("Another first reply, with more in it.")


def test_one_goes_on_in_the_branch_that_one_looks_at(site: Site, visit: Visit, lesson: str):
    panel = begin(site, visit(SAM), lesson)
    site.claude.will(Answer(["Another second reply."]), Answer(["Of the older one."]))
    panel.reply.get_by_role("button", name="Regenerate").click()
    panel.expect_version(panel.reply, "2 of 2")
    panel.expect_end()
    turn(panel, "reply", EARLIER)
    expect(panel.body).to_have_text("The second reply.")
    panel.ask("And what then?")
    expect(panel.body).to_have_text("Of the older one.")
    panel.expect_end()
    assert "branch" not in panel.page.url
    expect(panel.questions).to_have_text(["What is a slope?", "And an intercept?", "And what then?"])
    panel.expect_version(panel.replies.nth(1), "1 of 2")
    expect_same_after_a_reload(panel)


def test_a_double_click_makes_one_reply(site: Site, visit: Visit, lesson: str, gate: Gate):
    panel = begin(site, visit(SAM), lesson)
    asked = len(site.claude.requests)
    site.claude.will(Answer(["Once."], gate=gate))
    panel.reply.get_by_role("button", name="Regenerate").dblclick()
    site.claude.request(asked, timeout_s=20)
    gate.release()
    panel.expect_end()
    panel.expect_version(panel.reply, "2 of 2")
    assert len(site.claude.requests) == asked + 1


def test_a_question_in_other_words_makes_a_branch(site: Site, visit: Visit, lesson: str):
    panel = begin(site, visit(SAM), lesson)
    panel.words.fill("Half a thought")
    edit = panel.root.get_by_role("link", name="Edit this question")
    edit.last.click()
    expect(panel.words).to_be_focused()
    expect(panel.words).to_have_value("And an intercept?")
    panel.root.get_by_role("link", name="Cancel editing").click()
    expect(panel.words).to_have_value("Half a thought")

    edit.first.click()
    expect(panel.words).to_have_value("What is a slope?")
    site.claude.will(Answer(["It is how steep the line is."]))
    panel.ask("What does the slope mean?")
    expect(panel.questions).to_have_text(["What does the slope mean?"])
    expect(panel.body).to_have_text("It is how steep the line is.")
    panel.expect_end()
    expect(panel.words).to_have_value("Half a thought")
    panel.expect_version(panel.question, "2 of 2")
    expect_same_after_a_reload(panel)
    expect(panel.words).to_have_value("Half a thought")

    turn(panel, "question", EARLIER)
    expect(panel.questions).to_have_text(["What is a slope?", "And an intercept?"])
    panel.expect_version(panel.root.locator('[data-role="user"]').first, "1 of 2")


def test_a_question_that_goes_is_edited_no_more(site: Site, visit: Visit, lesson: str):
    panel = begin(site, visit(SAM), lesson)
    panel.words.fill("Half a thought")
    panel.root.get_by_role("link", name="Edit this question").last.click()
    panel.words.fill("And the intercept, what is it?")
    site.claude.will(Answer(["Another first reply."]), Answer(["It is where the line begins."]))
    panel.replies.first.get_by_role("button", name="Regenerate").click()
    expect(panel.body).to_have_text("Another first reply.")
    panel.expect_end()
    expect(panel.root.get_by_role("link", name="Cancel editing")).to_be_hidden()
    expect(panel.words).to_have_value("Half a thought\n\nAnd the intercept, what is it?")
    panel.ask("And the intercept, what is it?")
    expect(panel.body).to_have_text("It is where the line begins.")
    panel.expect_end()
    expect(panel.questions).to_have_text(["What is a slope?", "And the intercept, what is it?"])
    expect_same_after_a_reload(panel)


def test_words_that_were_set_aside_outlive_another_question(site: Site, visit: Visit, lesson: str):
    panel = open_lesson(visit(SAM), lesson)
    site.claude.will(Answer(["The first", " reply."], completes=False), Answer(["It goes on."]))
    panel.ask("What is a slope?")
    panel.expect_end("failed")
    panel.words.fill("Half a thought")
    panel.root.get_by_role("link", name="Edit this question").first.click()
    expect(panel.words).to_have_value("What is a slope?")
    panel.press("Continue")
    expect(panel.body).to_have_text("It goes on.")
    panel.expect_end()
    panel.root.get_by_role("link", name="Cancel editing").click()
    expect(panel.words).to_have_value("Half a thought")


def test_what_a_refused_edit_took_away_comes_back(site: Site, visit: Visit, lesson: str):
    panel = begin(site, visit(SAM), lesson)
    before = panel.conversation()
    panel.words.fill("Half a thought")
    panel.root.get_by_role("link", name="Edit this question").first.click()
    # The server's limit is lower than the page believes.
    panel.words.evaluate("words => words.removeAttribute('maxlength')")
    panel.ask("x" * 8001)
    expect(panel.said).to_have_text("Your message has 8001 characters; at most 8000 can be sent.")
    assert panel.conversation() == before
    expect(panel.words).to_have_value("x" * 8001)
    panel.words.press("Escape")
    expect(panel.words).to_have_value("Half a thought")


def test_a_reply_made_in_another_tab_is_shown_where_it_belongs(site: Site, visit: Visit, lesson: str, gate: Gate):
    panel = begin(site, visit(SAM), lesson)
    other = Panel(panel.page.context.new_page())
    other.page.goto(lesson)
    site.claude.will(Answer(["Anew, ", "slowly."], gate=gate, gate_after=1))
    panel.replies.first.get_by_role("button", name="Regenerate").click()
    expect(panel.body).to_have_text("Anew,")
    other.ask("And what then?")
    expect(other.said).to_contain_text("asked elsewhere. Your words are kept.")
    expect(other.words).to_have_value("And what then?")
    expect(other.questions).to_have_text(["What is a slope?"])
    gate.release()
    for each in (panel, other):
        each.expect_end()
        expect(each.body).to_have_text("Anew, slowly.")
    assert other.conversation() == panel.conversation()


def test_an_older_branch_tells_that_the_tutor_writes_in_another(site: Site, visit: Visit, lesson: str, gate: Gate):
    panel = begin(site, visit(SAM), lesson)
    site.claude.will(Answer(["Anew, ", "slowly."], gate=gate, gate_after=1))
    panel.reply.get_by_role("button", name="Regenerate").click()
    expect(panel.body).to_have_text("Anew,")
    # Leaving the branch leaves the page, and the reply goes on.
    turn(panel, "reply", EARLIER)
    expect(panel.said).to_have_text("The tutor is writing in another version of this conversation.")
    expect(panel.body).to_have_text("The second reply.")
    panel.root.get_by_role("link", name="Show it").click()
    expect(panel.body).to_have_text("Anew,")
    gate.release()
    panel.expect_end()
    expect(panel.body).to_have_text("Anew, slowly.")


def test_the_end_of_a_reply_in_another_version_is_told(site: Site, visit: Visit, lesson: str, gate: Gate):
    panel = begin(site, visit(SAM), lesson)
    site.claude.will(Answer(["Anew, ", "slowly."], gate=gate, gate_after=1))
    panel.reply.get_by_role("button", name="Regenerate").click()
    expect(panel.body).to_have_text("Anew,")
    turn(panel, "reply", EARLIER)
    expect(panel.said).to_have_text("The tutor is writing in another version of this conversation.")
    gate.release()
    expect(panel.said).to_have_text("The reply in the other version is complete.")
    for way in (panel.root.get_by_role("link", name="Show it"), panel.root.get_by_role("button", name="Stop")):
        expect(way).to_be_hidden()
    expect(panel.body).to_have_text("The second reply.")


def test_the_conversations_own_page_follows_the_branch(site: Site, visit: Visit):
    page = visit(SAM)
    page.goto(conversation(site, lesson=site.lessons()["Residuals and R²"]))
    panel = Panel(page)
    site.claude.will(Answer(["Another one."]))
    panel.reply.get_by_role("button", name="Regenerate").click()
    panel.expect_version(panel.reply, "2 of 2")
    panel.expect_end()
    expect_same_after_a_reload(panel)
    turn(panel, "reply", EARLIER)
    panel.expect_version(panel.reply, "1 of 2")
    shown = panel.reply.get_attribute("data-message")
    for name in ("Share", "Save as Markdown"):
        expect(page.get_by_role("link", name=name)).to_have_attribute("href", re.compile(f"branch={shown}$"))


def test_all_of_it_without_a_script(site: Site, visit: Visit, lesson: str):
    page = visit(SAM, java_script_enabled=False)
    panel = open_lesson(page, lesson)
    texts = ["One.", "Two.", "Another two.", "Of other words.", "Half of it"]
    site.claude.will(*(Answer([text]) for text in texts[:4]), Answer([texts[4]], completes=False))
    for question in ("What is a slope?", "And an intercept?"):
        panel.words.fill(question)
        panel.press("Ask")
    panel.reply.get_by_role("button", name="Regenerate").click()
    expect(panel.body).to_have_text("Another two.")
    panel.expect_version(panel.reply, "2 of 2")
    turn(panel, "reply", EARLIER)
    expect(panel.body).to_have_text("Two.")

    panel.root.get_by_role("link", name="Edit this question").first.click()
    expect(panel.words).to_have_value("What is a slope?")
    panel.root.get_by_role("link", name="Cancel editing").click()
    expect(panel.words).to_have_value("")
    panel.root.get_by_role("link", name="Edit this question").first.click()
    panel.words.fill("What does the slope mean?")
    panel.press("Ask")
    expect(panel.questions).to_have_text(["What does the slope mean?"])
    expect(panel.body).to_have_text("Of other words.")
    turn(panel, "question", EARLIER)
    expect(panel.questions).to_have_text(["What is a slope?", "And an intercept?"])

    panel.words.fill("And what then?")
    panel.press("Ask")
    expect(panel.questions).to_have_count(3)
    panel.expect_end("failed")
    panel.press("Continue")
    expect(panel.questions).to_have_count(4)
    panel.expect_end()
