"""The tutor's panel as a student meets it."""

from typing import Any

from playwright.sync_api import Locator, Page, expect


class Panel:
    def __init__(self, page: Page) -> None:
        self.page = page
        self.root = page.get_by_role("region", name="Tutor")
        self.words = page.get_by_label("Your question")
        self.said = self.root.locator('[data-part="said"]')
        self.replies = self.root.locator('[data-role="assistant"]')
        self.questions = self.root.locator('[data-role="user"] [data-part="body"]')

    def ask(self, question: str) -> None:
        self.words.fill(question)
        self.words.press("Enter")

    @property
    def reply(self) -> Locator:
        """The newest one."""
        return self.replies.last

    @property
    def body(self) -> Locator:
        return self.reply.locator('[data-part="body"]')

    def expect_end(self, state: str = "complete") -> None:
        expect(self.reply).to_have_attribute("data-state", state)

    def press(self, button: str) -> None:
        self.root.get_by_role("button", name=button, exact=True).click()

    @property
    def question(self) -> Locator:
        """The newest one."""
        return self.root.locator('[data-role="user"]').last

    def expect_version(self, message: Locator, place: str) -> None:
        expect(message.locator('[data-part="place"]')).to_have_text(place)

    def conversation(self) -> list[dict[str, Any]]:
        """What each message is and says as the page has it now, and what one can do with it."""
        return self.root.locator('[data-part="message"]').evaluate_all(_READ)

    def spoken(self) -> list[list[str]]:
        """The same, but only what two pages that show it have in common: role, state and HTML of each message."""
        return [[message["role"], message["state"], message["html"]] for message in self.conversation()]


# Keys and tokens are new for each page.
_READ = """messages => messages.map(message => {
    const body = message.querySelector('[data-part="body"]');
    const {role, state, length, message: id, generation, step} = message.dataset;
    const controls = [...message.querySelectorAll("a[href], button, [data-part=place], .message__end > span")];
    const fields = form => [...form.elements]
        .filter(field => field.name && !["key", "csrfmiddlewaretoken"].includes(field.name))
        .map(field => [field.name, field.value, field.getAttribute("formaction") && field.formAction]);
    return {
        role, state, length, id, generation, step, anchor: message.id, text: body.textContent, html: body.innerHTML,
        controls: controls.filter(each => each.checkVisibility())
            .map(each => [each.textContent.trim(), each.href, each.ariaPressed]),
        forms: [...message.querySelectorAll("form")].map(form => [form.action, fields(form)]),
    };
})"""


def open_lesson(page: Page, path: str) -> Panel:
    """A lesson with a conversation in which nothing was said yet, whatever other tests have asked there."""
    page.goto(path)
    begin = page.get_by_role("button", name="New conversation")
    if begin.count():
        begin.click()
        expect(page.get_by_text("What would you like to understand better?")).to_be_visible()
    return Panel(page)
