"""What each type of content item is read from, in the project's own authoring format (docs/authoring.md)."""

from collections.abc import Callable
from typing import Any

from lms.courses.importing.captions import spoken_text
from lms.courses.importing.front_matter import Fields
from lms.courses.importing.markdown_page import Page
from lms.courses.importing.markdown_quiz import read_questions

Data = dict[str, Any]
TRANSCRIPT_FILES = (".txt", ".vtt", ".srt")


def _text(page: Page) -> Data:
    return {"format": "markdown", "body": page.markdown(page.body)}


def _video(page: Page) -> Data:
    fields = page.fields
    if ("file" in fields) == ("youtube" in fields):
        raise fields.refuse("file", "a video has either a file or a youtube id.")
    data: Data = {"provider": "youtube", "youtube_id": fields.text("youtube")} if "youtube" in fields else {}
    if not data:
        data = {"provider": "file", "file": page.media("file")}
    if "poster" in fields:
        data["poster"] = page.media("poster")
    rows = fields.rows("captions")
    data["captions"] = [_caption(page, row) for row in rows]
    data["transcript"] = _transcript(page, rows)
    data["description"] = page.markdown(page.body)
    return data


def _caption(page: Page, row: Fields) -> dict[str, str]:
    language = row.text("language")
    caption = {"language": language, "label": row.text("label", language), "file": page.captions("file", row)}
    row.finish()
    return caption


def _transcript(page: Page, captions: list[Fields]) -> str:
    """What the field says, itself or in a file beside the page; without the field, what the first captions say."""
    written = page.fields.text("transcript", "")
    if written.endswith(TRANSCRIPT_FILES) and "\n" not in written:
        return _spoken(page, written)
    if not written and captions:
        return _spoken(page, captions[0].text("file"))
    return written


def _spoken(page: Page, relative: str) -> str:
    path = page.locate(relative)
    text = page.folder.read_text(path)
    return text.strip() if path.endswith(".txt") else spoken_text(text, path)


def _quiz(page: Page) -> Data:
    questions, page.answers = read_questions(page)
    return {"introduction": page.markdown(page.body), "questions": questions}


def _engineering_lab(page: Page) -> Data:
    code = page.fields.raw("starter_code") or ""
    if not isinstance(code, str):
        raise page.fields.refuse("starter_code", "must be text.")
    return {
        "introduction": page.markdown(page.body),
        "steps": [_step(page, row) for row in page.fields.rows("steps")],
        "language": page.fields.text("language", ""),
        "starter_code": code,
    }


def _step(page: Page, row: Fields) -> dict[str, str]:
    step = {"title": row.text("title"), "body": page.markdown(row.text("body", ""))}
    row.finish()
    return step


def _assignment(page: Page) -> Data:
    return {
        "instructions": page.required_body("assignment's text"),
        "submission": page.fields.choice("submission", ("text", "file", "either"), "either"),
        "points": page.fields.whole_number("points", 10),
    }


def _resource(page: Page) -> Data:
    if ("url" in page.fields) == ("file" in page.fields):
        raise page.fields.refuse("url", "a resource has either a url or a file.")
    target = {"url": page.fields.text("url")} if "url" in page.fields else {"file": page.media("file")}
    return {"description": page.markdown(page.body), **target}


READERS: dict[str, Callable[[Page], Data]] = {
    "text": _text,
    "video": _video,
    "quiz": _quiz,
    "engineering_lab": _engineering_lab,
    "assignment": _assignment,
    "resource": _resource,
}
