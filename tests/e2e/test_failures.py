import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.panel import Panel, open_lesson
from tests.e2e.site import SAM, Site
from tests.fakes.claude import Answer, Gate

OVERLOADED = "The tutor has too much to do at the moment."
BROKE_OFF = "The reply broke off before its end."
INTERRUPTED = "The reply was interrupted on our side. What was written is kept."
PARTIAL = "Half of a sentence that"


def lesson(site: Site) -> str:
    return site.lessons()["Bias and chance"]


@pytest.mark.parametrize(
    ("answer", "kept", "reason"),
    [
        pytest.param(Answer(status=529, error="overloaded_error"), "", OVERLOADED, id="overloaded"),
        pytest.param(Answer([PARTIAL, "!"], error_after=1, error="overloaded_error"), PARTIAL, OVERLOADED, id="error"),
        pytest.param(Answer([PARTIAL], completes=False), PARTIAL, BROKE_OFF, id="broken off"),
    ],
)
def test_a_failed_reply_says_why_keeps_its_text_and_can_be_tried_again(
    site: Site, visit: Visit, answer: Answer, kept: str, reason: str
):
    panel = open_lesson(visit(SAM), lesson(site))
    site.claude.will(answer, Answer(["All of it."]))
    panel.ask("Is this sample biased?")
    expect_failure(panel, kept, reason)
    live = panel.conversation()
    panel.page.reload()
    expect_failure(panel, kept, reason)
    assert panel.conversation() == live
    panel.press("Try again")
    expect(panel.questions).to_have_text(["Is this sample biased?"] * 2)
    panel.expect_end()
    expect(panel.body).to_have_text("All of it.")


def test_a_page_finds_back_to_a_server_that_died_and_came_again(site: Site, visit: Visit, gate: Gate):
    panel = open_lesson(visit(SAM, forgiving="WebSocket connection"), lesson(site))
    site.claude.will(Answer([PARTIAL, " is", " never", " read"], gate=gate, gate_after=1))
    panel.ask("Is this sample biased?")
    expect(panel.body).to_have_text(PARTIAL)
    site.wait_for_row("SELECT 1 FROM tutoring_message WHERE body = %s AND state = 'streaming'", PARTIAL)
    site.stop()
    expect(panel.said).to_contain_text("The connection was lost.")
    # What the dead server held lapses after a quarter of a minute, which is not waited for here.
    site.sql("UPDATE tutoring_generation SET lease_until = now() WHERE finished_at IS NULL")
    site.start()
    expect_failure(panel, PARTIAL, INTERRUPTED)
    panel.press("Try again")
    panel.expect_end()
    live = panel.conversation()
    panel.page.reload()
    assert panel.conversation() == live


def test_words_that_were_sent_without_a_connection_go_out_with_the_next(site: Site, visit: Visit):
    panel = open_lesson(visit(SAM, forgiving="ERR_INTERNET_DISCONNECTED"), lesson(site))
    panel.ask("Is this sample biased?")
    panel.expect_end()
    panel.page.context.set_offline(True)
    panel.ask("And this one?")
    expect(panel.said).to_contain_text("You are offline. Your words are kept")
    panel.page.context.set_offline(False)
    expect(panel.replies).to_have_count(2)
    panel.expect_end()
    expect(panel.questions).to_have_text(["Is this sample biased?", "And this one?"])


def expect_failure(panel: Panel, kept: str, reason: str) -> None:
    panel.expect_end("failed")
    expect(panel.body).to_have_text(kept)
    expect(panel.reply.get_by_text(reason)).to_be_visible()
