import pytest
from playwright.sync_api import Page, expect

from tests.e2e import pages
from tests.e2e.conftest import Visit
from tests.e2e.panel import Panel
from tests.e2e.site import SAM, Site
from tests.fakes.claude import Answer

PHONES = [390, 320]


def width_beyond_screen(page: Page) -> int:
    return page.evaluate("document.documentElement.scrollWidth - window.innerWidth")


@pytest.mark.parametrize("width", PHONES)
def test_no_page_scrolls_sideways_on_a_phone(site: Site, visit: Visit, width: int):
    phone = {"width": width, "height": 844, "has_touch": True, "is_mobile": True, "forgiving": "status of 404"}
    people = {email: visit(email, **phone) for email in ("", SAM)}
    too_wide = {}
    for name in pages.NAMES:
        page = people[pages.visitor(name)]
        page.goto(pages.path(site, name))
        if (beyond := width_beyond_screen(page)) > 0:
            too_wide[name] = beyond
    assert too_wide == {}


@pytest.mark.parametrize("width", PHONES)
def test_outline_and_tutor_are_sheets_on_a_phone(site: Site, visit: Visit, width: int):
    page = visit(SAM, width=width, height=700, has_touch=True, is_mobile=True)
    page.goto(site.lessons()["The pull of the middle"])
    outline = page.get_by_role("navigation", name="Outline of the course")
    panel = Panel(page)
    expect(outline).not_to_be_in_viewport()
    expect(panel.words).not_to_be_in_viewport()

    page.get_by_role("link", name="Outline", exact=True).last.tap()
    expect(outline.get_by_role("link", name="The pull of the middle")).to_be_in_viewport()
    page.get_by_role("link", name="Close the outline").tap()
    expect(outline).not_to_be_in_viewport()

    page.get_by_role("link", name="Ask the tutor").tap()
    expect(panel.words).to_be_in_viewport()
    site.claude.will(Answer(["A very-long-word-that-has-no-place-to-break" * 4 + "\n\n    and code " + "x" * 200]))
    panel.words.fill("Why?")
    panel.press("Ask")
    panel.expect_end()
    expect(panel.words).to_be_in_viewport()
    assert width_beyond_screen(page) <= 0
    page.get_by_role("link", name="Close the tutor").tap()
    expect(panel.words).not_to_be_in_viewport()
    expect(page.get_by_role("heading", name="The pull of the middle", level=1)).to_be_visible()


@pytest.mark.parametrize(("scheme", "is_dark"), [("light", False), ("dark", True)])
def test_the_colours_follow_the_system(site: Site, visit: Visit, scheme: str, is_dark: bool):
    page = visit(SAM, color_scheme=scheme)
    page.goto(site.lessons()["The shape of data"])
    dots = page.evaluate(
        "() => { const canvas = new OffscreenCanvas(1, 1).getContext('2d');"
        " canvas.fillStyle = getComputedStyle(document.documentElement).backgroundColor; canvas.fillRect(0, 0, 1, 1);"
        " return [...canvas.getImageData(0, 0, 1, 1).data.slice(0, 3)]; }"
    )
    assert (max(dots) < 128) == is_dark
