"""An Open edX course comes in by the command, is published and offered in the admin, and is studied."""

import struct
import zlib
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.panel import Panel
from tests.e2e.site import SAM, TESS, Site

WORDS = "A pip of the zanzibarine apple goes a hand deep"
OLX = {
    "course.xml": '<course url_name="run1" org="Orchard" course="APP7"/>',
    "course/run1.xml": '<course display_name="Apples" language="en"><chapter url_name="c1"/></course>',
    "chapter/c1.xml": '<chapter display_name="Seeds"><sequential url_name="s1"/></chapter>',
    "sequential/s1.xml": '<sequential display_name="Sowing"><vertical url_name="v1"/></sequential>',
    "vertical/v1.xml": '<vertical display_name="Into the ground"><html url_name="h1"/></vertical>',
    "html/h1.xml": '<html filename="h1" display_name="How deep?"/>',
    "html/h1.html": f'<p>{WORDS}.</p><p><img src="/static/the seed.png" alt="A seed"></p>',
}


def png(width: int, height: int) -> bytes:
    """A grey picture of this size."""

    def chunk(kind: bytes, content: bytes) -> bytes:
        check = struct.pack(">I", zlib.crc32(kind + content))
        return struct.pack(">I", len(content)) + kind + content + check

    rows = zlib.compress((b"\0" + b"\x80" * width) * height)
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", rows) + chunk(b"IEND", b"")


def write_course(folder: Path) -> Path:
    for name, content in OLX.items():
        place = folder / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(content)
    (folder / "static").mkdir()
    (folder / "static" / "the_seed.png").write_bytes(png(60, 40))
    return folder


def test_an_open_edx_course_from_its_export_to_the_tutor(site: Site, visit: Visit, tmp_path: Path):
    printed = site.manage("import_course", str(write_course(tmp_path / "apples")), "--university", "north")
    assert "APP7 “Apples”: a new draft." in printed
    publish_and_offer(visit(TESS))

    page = visit(SAM)
    page.goto("/north/courses/apples/")
    page.get_by_role("button", name="Enrol").click()
    page.get_by_role("link", name="Start").click()
    expect(page.get_by_role("heading", name="How deep?", level=1)).to_be_visible()
    picture = page.get_by_role("img", name="A seed")
    picture.scroll_into_view_if_needed()
    expect(picture).to_have_js_property("naturalWidth", 60)

    panel = Panel(page)
    panel.ask("How deep does it go?")
    panel.expect_end()
    expect(panel.body).to_contain_text(WORDS)
    asked = site.claude.requests[-1].body
    [lesson] = [block["text"] for block in asked["messages"][0]["content"] if "cache_control" in block]
    assert WORDS in lesson
    assert "Apples" in lesson
    assert asked["messages"][-1]["content"][-1]["text"] == "How deep does it go?"


def publish_and_offer(page: Page) -> None:
    page.goto("/admin/courses/course/")
    page.get_by_role("row", name="Apples").get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option("Publish: students see the course")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_text("1 course is published.")).to_be_visible()
    page.get_by_role("link", name="Apples").click()
    page.get_by_role("button", name="Add another Course offering").click()
    page.get_by_label("Term:").first.fill("Autumn")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_text("was changed successfully")).to_be_visible()
