"""What the first view of a lesson costs a browser that has nothing of the site yet."""

import pytest
from playwright.sync_api import Page

from tests.e2e.conftest import Visit
from tests.e2e.pages import LESSONS
from tests.e2e.site import SAM, Site

MOST_REQUESTS, MOST_BYTES = 8, 100_000
# A browser that shows the page before it has all of it may move a thing by a hair; 0.1 is where people notice.
MOST_SHIFT = 0.005
OBSERVE_SHIFTS = (
    "window.shifts = []; new PerformanceObserver(list => window.shifts.push(...list.getEntries().map(e => e.value)))"
    ".observe({type: 'layout-shift', buffered: true})"
)


class Traffic:
    """The requests of a page and the bytes that came over the wire for them."""

    def __init__(self, page: Page) -> None:
        self.requests: list[str] = []
        self.bytes = 0
        network = page.context.new_cdp_session(page)
        network.on("Network.requestWillBeSent", lambda event: self.requests.append(event["request"]["url"]))
        network.on("Network.loadingFinished", self._add)
        network.send("Network.enable")

    def _add(self, event: dict[str, float]) -> None:
        self.bytes += int(event["encodedDataLength"])


@pytest.mark.parametrize("kind", [kind for kind in LESSONS if kind != "video"])
def test_the_first_view_of_a_lesson_is_light_and_stands_still(site: Site, visit: Visit, kind: str):
    page = visit(SAM)
    page.add_init_script(OBSERVE_SHIFTS)
    traffic = Traffic(page)
    page.goto(site.lessons()[LESSONS[kind]], wait_until="networkidle")
    assert len(traffic.requests) <= MOST_REQUESTS, traffic.requests
    assert 0 < traffic.bytes <= MOST_BYTES, traffic.requests
    assert sum(page.evaluate("window.shifts")) <= MOST_SHIFT
