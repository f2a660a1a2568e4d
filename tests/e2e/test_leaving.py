"""The row owns the reply: pages come and go, and the text is whole."""

import pytest
from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.panel import Panel, open_lesson
from tests.e2e.site import SAM, Site
from tests.fakes.claude import Answer, Gate

# Signs of two UTF-16 units, signs joined to one, and marks that stand on the letter before.
TEXTS = ["Count 👩🏽‍🔬 and \U0001d48f = 40: ", "the cafe\u0301 has 🧪🧪, ", "and Z\u0335\u0301 is one letter 🎈."]
TEXT = "".join(TEXTS)


@pytest.fixture
def lesson(site: Site) -> str:
    return site.lessons()["The shape of data"]


@pytest.fixture
def panel(visit: Visit, lesson: str) -> Panel:
    return open_lesson(visit(SAM), lesson)


def begin_reply(site: Site, panel: Panel, gate: Gate, *, after: int = 1) -> None:
    site.claude.will(Answer(TEXTS, gate=gate, gate_after=after))
    panel.ask("How many letters?")
    expect(panel.body).to_have_text("".join(TEXTS[:after]).strip())


def again(page: Page, lesson: str) -> Panel:
    fresh = page.context.new_page()
    fresh.goto(lesson)
    return Panel(fresh)


def test_a_reply_goes_on_after_its_page_was_closed(site: Site, panel: Panel, lesson: str, gate: Gate):
    begin_reply(site, panel, gate)
    panel.page.close()
    # Another page keeps the context.
    back = again(panel.page, lesson)
    expect(back.body).to_have_text(TEXTS[0].strip())
    expect(back.said).to_have_text("The tutor is writing…")
    gate.release()
    back.expect_end()
    expect(back.body).to_have_text(TEXT)


def test_a_reply_is_finished_while_nobody_looks(site: Site, panel: Panel, lesson: str, gate: Gate):
    begin_reply(site, panel, gate)
    panel.page.close()
    gate.release()
    assert site.claude.requests[-1].ended.wait(10)
    back = again(panel.page, lesson)
    back.expect_end()
    expect(back.body).to_have_text(TEXT)
    expect(back.questions).to_have_text(["How many letters?"])


def test_a_reload_in_the_middle_goes_on_where_the_text_was(site: Site, panel: Panel, gate: Gate):
    begin_reply(site, panel, gate, after=2)
    panel.page.reload()
    expect(panel.body).to_have_text("".join(TEXTS[:2]).strip())
    gate.release()
    panel.expect_end()
    expect(panel.body).to_have_text(TEXT)
    expect(panel.said).to_have_text("The reply is complete.")
    live = panel.conversation()
    panel.page.reload()
    assert panel.conversation() == live


def test_a_second_tab_follows_the_reply_of_the_first(site: Site, panel: Panel, lesson: str, gate: Gate):
    begin_reply(site, panel, gate)
    other = again(panel.page, lesson)
    expect(other.body).to_have_text(TEXTS[0].strip())
    other.ask("And how many words?")
    expect(other.said).to_contain_text("The tutor is still answering. Your words are kept")
    expect(other.words).to_have_value("And how many words?")
    gate.release()
    panel.expect_end()
    other.expect_end()
    assert other.conversation() == panel.conversation()


def test_a_question_beside_a_running_reply_is_kept_and_the_reply_shown(
    site: Site, panel: Panel, lesson: str, gate: Gate
):
    panel.ask("A first question, so that there is a conversation.")
    panel.expect_end()
    other = again(panel.page, lesson)
    begin_reply(site, panel, gate)
    other.ask("And how many words?")
    expect(other.said).to_contain_text("asked elsewhere. Your words are kept.")
    expect(other.words).to_have_value("And how many words?")
    expect(other.body).to_have_text(TEXTS[0].strip())
    gate.release()
    panel.expect_end()
    other.expect_end()
    expect(other.body).to_have_text(TEXT)
    # Words that were kept are kept by a reload too, and go out when they are sent.
    other.page.reload()
    assert other.conversation() == panel.conversation()
    expect(other.words).to_have_value("And how many words?")
    other.words.press("Enter")
    expect(other.questions.last).to_have_text("And how many words?")
    other.expect_end()
    expect(other.words).to_have_value("")


def test_words_whose_key_was_spent_elsewhere_can_be_sent_again(site: Site, panel: Panel, lesson: str):
    words = "The same words in two conversations"
    panel.ask(words)
    panel.expect_end()
    ((key,),) = site.sql(
        "SELECT key FROM tutoring_idempotencykey WHERE answer->>'message' ="
        " (SELECT id::text FROM tutoring_message WHERE body = %s)",
        words,
    )
    panel = open_lesson(panel.page, lesson)
    # As after a break in the line: this tab still holds the words as sent and not answered.
    panel.page.evaluate(
        "([text, key]) => sessionStorage.setItem(`tutor:${location.pathname}`, JSON.stringify({text, key}))",
        [words, key],
    )
    panel.page.reload()
    expect(panel.words).to_have_value(words)
    panel.words.press("Enter")
    expect(panel.said).to_have_text("This idempotency key was used for another message. A new message needs a new key.")
    expect(panel.words).to_have_value(words)
    panel.words.press("Enter")
    panel.expect_end()
    expect(panel.questions).to_have_text([words])
