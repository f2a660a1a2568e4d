"""Where Sam goes: every main page by name."""

from uuid import uuid4

from tests.e2e.site import SAM, Site

SIGNED_OUT = {"front": "/", "sign in": "/accounts/login/", "sign up": "/accounts/signup/"}
LESSONS = {
    "text with formulas": "What averages do",
    "text with code": "Samples from a sample",
    "video": "Film: how the means pile up",
    "quiz": "Check: seeing variation",
    "laboratory": "Repeat the experiment ten thousand times",
    "assignment": "A report on data of your own",
    "resource": "Data: forty small flats",
}
SIGNED_IN = {
    "front, signed in": "/",
    "home": "/north/",
    "course": "/north/courses/thinking-with-data/",
    "conversations": "/north/tutor/",
    "profile": "/accounts/profile/",
    "not found": "/north/courses/no-such-course/",
}
CONVERSATION, DELETING = "conversation", "deleting a conversation"
NAMES = [*SIGNED_OUT, *SIGNED_IN, *LESSONS, CONVERSATION, DELETING]


def visitor(name: str) -> str:
    """Who opens the page; nobody where one need not be signed in."""
    return "" if name in SIGNED_OUT else SAM


def path(site: Site, name: str) -> str:
    if name == CONVERSATION:
        return conversation(site)
    if name == DELETING:
        return f"{conversation(site)}delete/"
    if name in LESSONS:
        return site.lessons()[LESSONS[name]]
    return (SIGNED_OUT | SIGNED_IN)[name]


def conversation(site: Site, email: str = SAM, lesson: str = "") -> str:
    """A page with a conversation of its own, of one question and its reply, made by the forms."""
    lesson = lesson or site.lessons()["Residuals and R²"]
    assert site.post(email, f"{lesson}new/").status_code == 302
    asked = site.post(email, f"{lesson}ask/", key=str(uuid4()), text="What is left over?")
    assert asked.status_code == 302
    return site.find(email, lesson, r'href="(/[a-z]+/tutor/[0-9a-f-]{36}/)"')
