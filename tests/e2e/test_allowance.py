"""What the panel tells of the allowance: nothing while there is enough, then how much is used and what follows."""

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.conftest import Limited, Visit
from tests.e2e.panel import Panel, open_lesson
from tests.e2e.site import SAM, Site
from tests.fakes.claude import Answer

RENEWS = "renews at 00:00"


@pytest.fixture
def lesson(site: Site) -> str:
    return site.lessons()["The sampling distribution"]


def allowance(panel: Panel) -> Locator:
    return panel.root.locator('[data-part="allowance"]')


def told(panel: Panel) -> tuple[str, str]:
    """The words and how far the bar is."""
    words = " ".join(allowance(panel).inner_text().split())
    return words, allowance(panel).locator("meter").evaluate("meter => meter.value")


def expect_same_after_a_reload(panel: Panel) -> None:
    live, messages = told(panel), panel.conversation()
    panel.page.reload()
    assert (told(panel), panel.conversation()) == (live, messages)


def test_it_is_told_from_the_notice_on_as_the_replies_use_it(site: Site, visit: Visit, limited: Limited, lesson: str):
    limited(tokens=1_000_000, used=799_900)
    panel = open_lesson(visit(SAM), lesson)
    expect(allowance(panel)).to_be_hidden()
    site.claude.will(Answer(["A reply."], usage={"input_tokens": 40_000, "output_tokens": 100}))
    panel.ask("What varies?")
    panel.expect_end()
    expect(allowance(panel)).to_have_text(f"84 % of today's allowance used · {RENEWS}")
    expect_same_after_a_reload(panel)


def test_a_smaller_model_is_named_before_it_answers_and_beside_what_it_wrote(
    site: Site, visit: Visit, limited: Limited, lesson: str
):
    limited(tokens=1_000_000, used=910_000, cheaper_percent=90)
    panel = open_lesson(visit(SAM), lesson)
    assert told(panel)[0] == f"91 % of today's allowance used · {RENEWS} Until then a smaller model answers."
    site.claude.will(Answer(["A small reply."], usage={"input_tokens": 10, "output_tokens": 1}))
    panel.ask("What varies?")
    panel.expect_end()
    assert "haiku" in site.claude.requests[-1].body["model"]
    expect(panel.reply.get_by_text("Written by a smaller model")).to_be_visible()
    expect_same_after_a_reload(panel)


def test_used_up_the_practice_tutor_answers_and_says_so(site: Site, visit: Visit, limited: Limited, lesson: str):
    limited(tokens=1000, used=1000)
    panel = open_lesson(visit(SAM), lesson)
    assert "Until then the practice tutor answers" in told(panel)[0]
    # The banner is for sites that have no other tutor.
    expect(panel.root.get_by_text("This is the practice tutor")).to_have_count(0)
    asked = len(site.claude.requests)
    panel.ask("What does the sampling distribution tell?")
    panel.expect_end()
    expect(panel.reply.get_by_text("Written by the practice tutor")).to_be_visible()
    assert len(site.claude.requests) == asked
    expect_same_after_a_reload(panel)


@pytest.mark.parametrize("scripts", [True, False])
def test_used_up_and_stopped_the_words_are_kept(site: Site, visit: Visit, limited: Limited, lesson: str, scripts: bool):
    page = visit(SAM, java_script_enabled=scripts, forgiving="status of 429")
    panel = open_lesson(page, lesson)
    limited(tokens=1000, used=1000, when_used_up="stop")
    page.reload()
    words, bar = told(panel)
    assert (words, bar) == (
        f"Today's allowance is used up · {RENEWS} Until then the tutor does not answer. You can write here all the"
        " same: your words are kept.",
        100,
    )
    panel.words.fill("What varies?")
    panel.press("Ask")
    expect(panel.root.get_by_text("Your allowance for the tutor is used up for today. It renews on")).to_be_visible()
    expect(panel.words).to_have_value("What varies?")
    expect(panel.replies).to_have_count(0)
