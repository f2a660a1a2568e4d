import pytest
from playwright.sync_api import expect

from tests.e2e.conftest import Visit
from tests.e2e.panel import Panel, open_lesson
from tests.e2e.site import SAM, Site
from tests.fakes.claude import Answer, Gate

OVERLOADED = "The tutor has too much to do at the moment."
UNREADABLE = "The tutor's answer could not be read."
BROKE_OFF = "The reply broke off before its end."
INTERRUPTED = "The reply was interrupted on our side. What was written is kept."
# As behind a proxy that knows no sockets: each is closed before it was open.
NO_SOCKETS = """
    window.WebSocket = class extends EventTarget {
        static OPEN = 1; static CLOSING = 2; readyState = 3;
        constructor() { super(); setTimeout(() => this.dispatchEvent(new CloseEvent("close", { code: 1006 }))); }
    };
"""
PARTIAL = "Half of a sentence that"


def lesson(site: Site) -> str:
    return site.lessons()["Bias and chance"]


@pytest.mark.parametrize(
    ("answer", "reason"),
    [
        pytest.param(Answer([PARTIAL, "!"], error_after=1, error="overloaded_error"), OVERLOADED, id="error"),
        pytest.param(Answer([PARTIAL], completes=False), BROKE_OFF, id="broken off"),
    ],
)
def test_a_reply_that_broke_off_says_why_keeps_its_text_and_goes_on(
    site: Site, visit: Visit, answer: Answer, reason: str
):
    panel = open_lesson(visit(SAM), lesson(site))
    site.claude.will(answer, Answer(["has an end."]))
    panel.ask("Is this sample biased?")
    expect_failure(panel, PARTIAL, reason)
    live = panel.conversation()
    panel.page.reload()
    expect_failure(panel, PARTIAL, reason)
    assert panel.conversation() == live
    panel.words.fill("Half a thought")
    panel.press("Continue")
    expect(panel.questions).to_have_text(["Is this sample biased?", "Please go on where you stopped."])
    panel.expect_end()
    expect(panel.body).to_have_text("has an end.")
    # What stood in the box is none of it.
    expect(panel.words).to_have_value("Half a thought")
    expect(panel.root.get_by_role("button", name="Continue")).to_have_count(0)
    live = panel.conversation()
    panel.page.reload()
    assert panel.conversation() == live


def test_a_reply_that_never_began_is_tried_again_in_its_place(site: Site, visit: Visit):
    panel = open_lesson(visit(SAM), lesson(site))
    # An error that tells of the request alone: the provider stays in use.
    site.claude.will(Answer(status=400, error="invalid_request_error"), Answer(["All of it."]))
    panel.ask("Is this sample biased?")
    expect_failure(panel, "", UNREADABLE)
    expect(panel.reply.get_by_role("button")).to_have_text(["Try again"])
    live = panel.conversation()
    panel.page.reload()
    assert panel.conversation() == live
    panel.press("Try again")
    panel.expect_end()
    expect(panel.body).to_have_text("All of it.")
    expect(panel.questions).to_have_text(["Is this sample biased?"])
    panel.expect_version(panel.reply, "2 of 2")
    live = panel.conversation()
    panel.page.reload()
    assert panel.conversation() == live


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
    panel.press("Continue")
    expect(panel.replies).to_have_count(2)
    panel.expect_end()
    live = panel.conversation()
    panel.page.reload()
    assert panel.conversation() == live


def test_a_question_that_a_leaving_server_refuses_goes_out_by_itself(site: Site, visit: Visit, gate: Gate):
    page = visit(SAM, forgiving="WebSocket connection")
    panel = open_lesson(page, lesson(site))
    panel.ask("Is this sample biased?")
    panel.expect_end()
    other = open_lesson(page.context.new_page(), site.lessons()["Centre and spread"])
    site.claude.will(Answer([PARTIAL, " has an end."], gate=gate, gate_after=1), Answer(["It is."]))
    other.ask("What holds the server up?")
    expect(other.body).to_have_text(PARTIAL)
    site.ask_to_go()
    # Its readers are sent away with what there is.
    expect(other.said).to_contain_text("connecting again…")
    panel.ask("And is that one?")
    expect(panel.said).to_contain_text("It is kept and sent again by itself…")
    expect(panel.question).to_have_attribute("data-state", "sending")
    expect(panel.words).to_have_value("")
    gate.release()
    site.wait_gone()
    site.start()
    for each, text in ((other, f"{PARTIAL} has an end."), (panel, "It is.")):
        each.expect_end()
        expect(each.body).to_have_text(text)
    assert len(site.sql("SELECT 1 FROM tutoring_message WHERE body = 'And is that one?'")) == 1
    live = panel.conversation()
    page.reload()
    assert panel.conversation() == live


def test_where_sockets_do_not_get_through_the_forms_do(site: Site, visit: Visit):
    page = visit(SAM)
    page.add_init_script(NO_SOCKETS)
    panel = open_lesson(page, lesson(site))
    texts = ["One.", "Another one.", "Of other words."]
    site.claude.will(*(Answer([text]) for text in texts))
    panel.ask("Is this sample biased?")
    expect(panel.body).to_have_text(texts[0])
    panel.words.fill("Half a thought")
    panel.reply.get_by_role("button", name="Regenerate").click()
    expect(panel.body).to_have_text(texts[1])
    panel.expect_version(panel.reply, "2 of 2")
    expect(panel.words).to_have_value("Half a thought")
    panel.root.get_by_role("link", name="Edit this question").click()
    # The script for it is fetched first.
    expect(panel.words).to_have_value("Is this sample biased?")
    panel.ask("Is it biased at all?")
    expect(panel.body).to_have_text(texts[2])
    panel.expect_version(panel.question, "2 of 2")
    expect(panel.words).to_have_value("Half a thought")


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
