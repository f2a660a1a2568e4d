from playwright.sync_api import Response, expect

from tests.e2e.conftest import Visit
from tests.e2e.site import SAM, Site

PLAY_FROM = """
async (video, seconds) => {
    const happens = name => new Promise(resolve => video.addEventListener(name, resolve, { once: true }));
    const sought = happens("seeked");
    video.currentTime = seconds;
    await sought;
    const goesOn = happens("timeupdate");
    await video.play();
    await goesOn;
    video.pause();
    return video.readyState;
}
"""
FIRST_CAPTION = """
video => new Promise(resolve => {
    const cues = () => video.textTracks[0].cues;
    const look = () => (cues()?.length ? resolve(cues()[0].text) : requestAnimationFrame(look));
    look();
})
"""
FIRST_WORDS = "All the waits for the number 7 tram in a year.\nTheir mean is 10 minutes, their tail is long."
HAVE_CURRENT_DATA = 2


def test_the_film_plays_from_where_one_puts_it_and_has_captions(site: Site, visit: Visit):
    page = visit(SAM)
    answers: list[Response] = []
    page.on("response", lambda response: answers.append(response) if ".webm" in response.url else None)
    page.goto(site.lessons()["Film: how the means pile up"])
    film = page.locator("video")
    expect(film).to_have_js_property("error", None)
    assert film.evaluate(PLAY_FROM, 30) >= HAVE_CURRENT_DATA
    assert film.evaluate("video => video.currentTime") >= 30
    assert film.evaluate("video => video.videoWidth") > 0
    assert {answer.status for answer in answers} == {206}
    assert film.evaluate(FIRST_CAPTION) == FIRST_WORDS


def test_a_range_of_the_film_is_sent_alone(site: Site):
    lesson = site.lessons()["Film: how the means pile up"]
    address = site.find(SAM, lesson, r'<source src="([^"]+)"')
    whole = site.get(SAM, address)
    part = site.get(SAM, address, Range="bytes=1000-1999")
    assert (whole.status_code, whole.headers["accept-ranges"]) == (200, "bytes")
    assert (part.status_code, part.headers["content-range"]) == (206, f"bytes 1000-1999/{len(whole.content)}")
    assert part.content == whole.content[1000:2000]
