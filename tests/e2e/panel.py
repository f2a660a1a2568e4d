"""The tutor's panel as a student meets it."""

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

    def conversation(self) -> list[tuple[str, str, str, str]]:
        """Role, state, text and HTML of each message, as the page has them now."""
        read = (
            "messages => messages.map(m => { const body = m.querySelector('[data-part=\"body\"]');"
            " return [m.dataset.role, m.dataset.state, body.textContent, body.innerHTML]; })"
        )
        return [tuple(message) for message in self.root.locator('[data-part="message"]').evaluate_all(read)]


def open_lesson(page: Page, path: str) -> Panel:
    """A lesson with a conversation in which nothing was said yet, whatever other tests have asked there."""
    page.goto(path)
    begin = page.get_by_role("button", name="New conversation")
    if begin.count():
        begin.click()
        expect(page.get_by_text("What would you like to understand better?")).to_be_visible()
    return Panel(page)
