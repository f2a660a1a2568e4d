import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Page, expect

from tests.e2e import pages
from tests.e2e.conftest import Limited, Visit
from tests.e2e.panel import open_lesson
from tests.e2e.site import SAM, Site
from tests.fakes.claude import Answer, Gate

RICH = (
    "Some *words*, a formula $x^2$, a [link](https://example.org/) and\n\n"
    "```python\nprint(1)  # one\n```\n\n|  | a |\n|---|---|\n| 1 | 2 |\n\n- one\n- two\n\n> said\n"
)


def violations(page: Page) -> list[str]:
    found = Axe().run(page).response["violations"]
    nodes = [(rule["id"], node) for rule in found for node in rule["nodes"]]
    return [
        f"{rule}: {node['html'][:200]} {node['failureSummary']}" for rule, node in nodes if not _is_formula(rule, node)
    ]


def _is_formula(rule: str, node: dict[str, str]) -> bool:
    """Axe does not count MathML as text, so it takes a heading that is one formula for an empty one."""
    return rule == "empty-table-header" and "<math" in node["html"]


@pytest.mark.parametrize("name", pages.NAMES)
def test_axe_finds_nothing_on_any_page_in_light_and_in_dark(site: Site, visit: Visit, name: str):
    page = visit(pages.visitor(name), forgiving="status of 404" if name == "not found" else "")
    page.goto(pages.path(site, name))
    found = {}
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme, reduced_motion="reduce")
        found[scheme] = violations(page)
    assert found == {"light": [], "dark": []}


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_conversation_at_work(site: Site, visit: Visit, gate: Gate, scheme: str):
    page = visit(SAM, color_scheme=scheme, reduced_motion="reduce")
    panel = open_lesson(page, site.lessons()["Least squares"])
    site.claude.will(Answer([RICH]), Answer(["Half of it"], completes=False), Answer(["Now"], gate=gate))
    for number, end in enumerate(("complete", "failed"), 1):
        panel.ask("And then?")
        expect(panel.replies).to_have_count(number)
        panel.expect_end(end)
    panel.ask("And in the end?")
    expect(panel.said).to_have_text("The tutor is thinking…")
    assert violations(page) == []


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_in_a_conversation_at_rest(site: Site, visit: Visit, limited: Limited, scheme: str):
    page = visit(SAM, color_scheme=scheme, reduced_motion="reduce")
    panel = open_lesson(page, site.lessons()["Least squares"])
    panel.ask("And then?")
    panel.expect_end()
    panel.reply.get_by_role("button", name="Regenerate").click()
    panel.expect_version(panel.reply, "2 of 2")
    panel.expect_end()
    limited(tokens=1000, used=1000, when_used_up="stop")
    page.reload()
    panel.reply.get_by_role("button", name="Not helpful").click()
    expect(panel.reply.get_by_label("What was wrong?")).to_be_visible()
    panel.root.get_by_role("link", name="Edit this question").click()
    expect(panel.words).to_have_value("And then?")
    expect(panel.root.get_by_text("Today's allowance is used up")).to_be_visible()
    assert violations(page) == []
