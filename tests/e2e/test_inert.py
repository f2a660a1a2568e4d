"""Names, titles and words of others are shown as they were written and do nothing, to students and to staff."""

import re

from playwright.sync_api import Locator, Page, expect

from tests.e2e.conftest import Visit
from tests.e2e.panel import open_lesson
from tests.e2e.poison import HOST, TEXT, name
from tests.e2e.west import ADMIN, STUDENT, West
from tests.fakes.claude import Answer

# What runs, and what loads or sends elsewhere: no page of the site has any of it.
STRANGE = """() => {
    const loads = ["src", "srcset", "poster", "data", "xlink:href", "action", "formaction", "background", "ping"];
    const strange = [...document.querySelectorAll("script:not([src], [type='application/json'])")]
        .map(each => each.outerHTML);
    for (const each of document.querySelectorAll("*")) {
        for (const { name, value } of each.attributes) {
            const isLoading = loads.includes(name) || (name === "href" && each.localName !== "a");
            const isElsewhere = isLoading && new URL(value, location).host !== location.host;
            if (name.startsWith("on") || isElsewhere) strange.push(`${each.localName} ${name}=${value}`);
        }
    }
    return [window.__pwned ?? "nothing ran", ...strange];
}"""
# The words of others that a name's override of the direction goes on into, in the same line and box.
TURNED = r"""() => {
    const turned = [];
    const isBoxOfItsOwn = box => {
        const { display, unicodeBidi } = getComputedStyle(box);
        return !["inline", "contents"].includes(display) || /isolate|plaintext/.test(unicodeBidi);
    };
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    while (texts.nextNode()) {
        const { data, parentElement } = texts.currentNode;
        const isItem = /flex|grid/.test(getComputedStyle(parentElement).display);
        if (isItem || !data.includes("\u202e")) continue;
        let box = parentElement;
        while (!isBoxOfItsOwn(box)) box = box.parentElement;
        const rest = document.createRange();
        rest.setStart(texts.currentNode, data.lastIndexOf("\u202egnp.exe") + "\u202egnp.exe".length);
        rest.setEndAfter(box.lastChild);
        const [words] = rest.toString().split("\n\n");
        if (/[\p{L}\p{N}]/u.test(words)) turned.push(`${box.localName}: ${words.trim()}`);
    }
    return turned;
}"""
# Of these a column, a title or a list has only the first characters.
CUT = {"code", "term", "shown", "question"}
ITEMS = {"text", "imported", "video", "quiz", "engineering_lab", "assignment", "resource"}
ROLES = {"student", "instructor", "university_admin"}
OF_COURSE = {"university", "course", "code", "term", "unit", "aim", "objective", *ITEMS}
OF_STUDENTS = {"student", "question", "shown", "comment", "step", "prompt", "option", "left", "right"}
# What a reply may be made of, as far as this one goes.
OF_REPLIES = set("a br code div li math mfrac mi mo mrow mtext p pre span table tbody td th thead tr ul".split())  # noqa: SIM905


def test_names_and_titles_do_nothing_to_students(west: West, visit: Visit):
    conversation = west.ask("quiz", f"{name('question')}\n\nAnd then?", TEXT)
    west.comment(conversation)
    page, shown = visit(STUDENT), set()
    for path in [*west.pages_of_student(conversation), west.share(conversation)]:
        page.goto(path)
        film = [f"iframe src={page.locator('iframe').get_attribute('src')}"] if path == west.lessons["video"] else []
        assert (path, page.evaluate(STRANGE)) == (path, ["nothing ran", *film])
        assert (path, page.evaluate(TURNED)) == (path, [])
        shown |= names_on(page)
    assert shown == OF_COURSE | OF_STUDENTS


def test_names_and_titles_do_nothing_to_staff(west: West, visit: Visit):
    west.comment(west.ask("text", name("question"), TEXT))
    page, shown = visit(ADMIN), set()
    for path in west.pages_of_staff():
        page.goto(path)
        assert (path, page.evaluate(STRANGE)) == (path, ["nothing ran"])
        # Where there is more than lists, sentences of Django's own go round a name.
        if not path.endswith(("/change/", "/history/", "/delete/")):
            assert (path, page.evaluate(TURNED)) == (path, [])
        shown |= names_on(page)
    assert shown == OF_COURSE | ROLES | {"department", "comment"}


def test_what_the_admin_says_of_a_name_is_the_name(west: West, visit: Visit):
    page = visit(ADMIN)
    page.goto("/admin/courses/course/")
    page.get_by_role("link", name=name("course")).click()
    with page.expect_popup() as popup:
        page.locator("#add_id_department").click()
    popup.value.get_by_label("Code:").fill("NEW")
    popup.value.get_by_label("Name:").fill(name("department"))
    popup.value.get_by_role("button", name="Save", exact=True).click()
    expect(page.get_by_label("Department:").locator("option:checked")).to_have_text(name("department"))
    assert names_on(page) == {"course", "code", "university", "university_admin", "department", "aim", "term"}
    page.get_by_label("Department:").select_option("")
    page.get_by_role("button", name="Save", exact=True).click()
    expect(page.locator(".messagelist .success")).to_contain_text(name("course"))
    expect_inert(page)
    page.goto("/admin/")
    expect(page.locator("#recent-actions-module")).to_contain_text(name("department"))
    expect_inert(page)
    page.goto("/admin/tenants/department/")
    page.get_by_role("row", name="NEW").get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option("delete_selected")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("heading", name="Delete multiple objects")).to_be_visible()
    assert names_on(page) == {"department", "university_admin"}
    expect_inert(page)
    page.get_by_role("button", name="Yes, I").click()
    expect(page.get_by_text("Successfully deleted 1 department.")).to_be_visible()


def test_a_reply_is_words_links_and_formulas_as_it_comes_and_as_it_stays(west: West, visit: Visit):
    page = visit(STUDENT)
    panel = open_lesson(page, west.lessons["text"])
    formula = r"Here: $\frac{a}{b}$."
    west.site.claude.will(Answer([f"{formula}\n\n", TEXT[: len(TEXT) // 2], TEXT[len(TEXT) // 2 :]]))
    panel.ask(name("question"))
    panel.expect_end()
    live = made_of(panel.body)
    page.reload()
    assert made_of(panel.body) == live
    assert live["tags"] <= OF_REPLIES
    assert live["attributes"] == {"href", "rel", "class", "tabindex", "display"}
    assert {link[1] for link in live["links"]} == {"noopener noreferrer nofollow"}
    hosts = {f"{piece}.{HOST}" for piece in ("links", "picture-as-link", "picture-shortcut")} | {
        "www.youtube.com",
        "youtu.be",
    }
    assert {host for host, *_ in live["links"]} == hosts
    assert [link for link in live["links"] if link[0] not in link[2]] == []
    above, below = (panel.body.locator("mfrac > *").nth(part).bounding_box() for part in (0, 1))
    assert above["y"] + above["height"] <= below["y"]
    assert panel.body.locator("math").first.evaluate("math => getComputedStyle(math).display") == "math"


def made_of(body: Locator) -> dict[str, object]:
    """The elements of a reply and their attributes; of links the host, the rel and the words."""
    tags, attributes, links = body.evaluate("""body => {
        const all = [...body.querySelectorAll("*:not([data-part])")];
        return [
            all.map(each => each.localName),
            all.flatMap(each => each.getAttributeNames()),
            [...body.querySelectorAll("a")].map(link => [new URL(link.href).host, link.rel, link.textContent]),
        ];
    }""")
    return {"tags": set(tags), "attributes": set(attributes), "links": links}


def expect_inert(page: Page) -> None:
    assert page.evaluate(STRANGE) == ["nothing ran"]


def names_on(page: Page) -> set[str]:
    """The places of the names that the page shows, each as it was written."""
    text = page.evaluate("document.documentElement.textContent")
    found = set()
    for match in re.finditer(r"\[([a-z_]+)]\"'><img", text):
        place = match.group(1)
        whole = name(place)[:40] if place in CUT else name(place)
        assert text[match.start() :][: len(whole)] == whole
        found.add(place)
    return found
