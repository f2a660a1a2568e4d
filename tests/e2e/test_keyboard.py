from playwright.sync_api import Locator, expect

from tests.e2e.conftest import Visit
from tests.e2e.panel import Panel
from tests.e2e.site import PASSWORD, SAM, Site
from tests.fakes.claude import Answer


def tab_to(target: Locator, *, most: int = 60) -> None:
    """Forward from wherever the focus is, by key alone."""
    for _ in range(most):
        target.page.keyboard.press("Tab")
        if target.evaluate("element => element === document.activeElement"):
            return
    raise AssertionError(f"{most} steps do not lead to {target}")


def test_signing_in_and_asking_by_keyboard_alone(site: Site, visit: Visit):
    page = visit()
    keys = page.keyboard
    page.goto(site.lessons()["Confidence intervals"])
    tab_to(page.get_by_label("Email"))
    keys.type(SAM)
    tab_to(page.get_by_label("Password"))
    keys.type(PASSWORD)
    keys.press("Enter")
    expect(page.get_by_role("heading", name="Confidence intervals", level=1)).to_be_visible()

    panel = Panel(page)
    earlier = panel.replies.count()
    tab_to(page.get_by_role("link", name="Skip to the content"), most=1)
    keys.press("Enter")
    tab_to(page.get_by_role("link", name="Skip the outline"), most=1)
    keys.press("Enter")
    tab_to(panel.words)
    site.claude.will(Answer(["Twice as wide."]), Answer(["Half as wide."]))
    keys.type("How wide?")
    keys.press("Shift+Enter")
    keys.type("And for more certainty?")
    expect(panel.words).to_have_value("How wide?\nAnd for more certainty?")
    keys.press("Enter")
    panel.expect_end()
    expect(panel.questions.last).to_have_text("How wide?\nAnd for more certainty?", use_inner_text=True)
    expect(panel.body).to_have_text("Twice as wide.")

    expect(panel.words).to_be_focused()
    expect(panel.words).to_have_value("")
    keys.type("And for a larger sample?")
    keys.press("Enter")
    expect(panel.body).to_have_text("Half as wide.")
    panel.expect_end()
    expect(panel.words).to_be_focused()
    # Nothing to send: Enter does nothing, and no line is begun.
    keys.press("Enter")
    expect(panel.words).to_have_value("")
    expect(panel.replies).to_have_count(earlier + 2)
