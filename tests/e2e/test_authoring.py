"""An author's pages. What they set in order and write stands in the last unit, which no other test counts."""

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.site import SAM, TESS, Site

LAST_UNIT = [
    "Regression",
    "Fitting a line",
    "What the line leaves",
    "Regression to the mean",
    "Association and cause",
    "Your own report",
]


def test_a_module_is_dragged_to_another_place_and_stays_there(site: Site, visit: Visit):
    page = visit(TESS)
    page.goto("/admin/")
    page.get_by_role("main").get_by_role("link", name="Courses", exact=True).last.click()
    page.get_by_role("row", name="Thinking with Data").get_by_role("link", name="Modules and content").click()
    expect(page.get_by_role("heading", name="Thinking with Data")).to_be_visible()
    assert titles(page) == LAST_UNIT
    drag(page, "Association and cause", before="Regression to the mean")
    expect(page.get_by_text("“Association and cause” has moved.")).to_be_visible()
    assert titles(page) == [*LAST_UNIT[:3], "Association and cause", "Regression to the mean", "Your own report"]
    page.reload()
    assert titles(page) == [*LAST_UNIT[:3], "Association and cause", "Regression to the mean", "Your own report"]
    # Back again by keyboard.
    down = page.get_by_role("button", name="Move “Association and cause” down")
    down.press("Enter")
    expect(page.get_by_text("“Association and cause” has moved.")).to_be_visible()
    expect(down).to_be_focused()
    assert titles(page) == LAST_UNIT


def test_an_author_writes_sees_the_preview_and_a_student_reads(site: Site, visit: Visit):
    page = visit(TESS)
    page.goto("/admin/courses/course/")
    page.get_by_role("row", name="Thinking with Data").get_by_role("link", name="Modules and content").click()
    row(page, "Your own report").get_by_role("link", name="Content").click()
    page.get_by_role("link", name="Text A page to read.").click()
    page.get_by_label("Title").fill("How to begin a report")
    page.get_by_label("Text:").fill("Begin with *one* question: is $a < b$?")
    page.get_by_role("button", name="Preview as students see it").click()
    preview = page.frame_locator("iframe")
    expect(preview.locator("em")).to_have_text("one")
    expect(preview.locator("math")).to_have_text("a<b")
    page.get_by_label("Text:").fill("Begin with *two* questions.")
    expect(preview.locator("em")).to_have_text("two")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was added successfully")).to_be_visible()

    student = visit(SAM)
    student.goto("/north/courses/thinking-with-data/")
    link = student.get_by_role("link", name="How to begin a report", include_hidden=True)
    student.goto(link.get_attribute("href"))
    expect(student.get_by_text("Begin with two questions.")).to_be_visible()


def titles(page: Page) -> list[str]:
    """Of the last unit, in the tree's order."""
    return page.locator(".tree-title").all_inner_texts()[-len(LAST_UNIT) :]


def row(page: Page, title: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_text(title, exact=True))


def drag(page: Page, title: str, *, before: str) -> None:
    handle = row(page, title).locator(".drag-handle")
    handle.scroll_into_view_if_needed()
    handle.hover()
    page.mouse.down()
    target = row(page, before).bounding_box()
    # The upper third of a row means before it.
    for step in (0.9, 0.5, 0.2):
        page.mouse.move(target["x"] + 60, target["y"] + target["height"] * step)
    page.mouse.up()
