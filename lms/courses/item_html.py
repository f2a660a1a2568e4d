"""What an item shows: the parts of `ContentItem.data` as templates/courses/content/_<type>.html wants them.

Texts are rendered and sanitised, files have their addresses. Reads the data alone, which holds no answers.
"""

import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote

from django.utils.safestring import SafeString, mark_safe

from lms.courses.markdown import plain_text, render_imported_html, render_lesson
from lms.courses.markdown.media import link_host

Data = Mapping[str, Any]
Content = dict[str, Any]


def item_content(content_type: str, data: Data, *, media_prefix: str) -> Content:
    """Keys that end in `_html`, and `html`, are safe to show as they are. Data of an unknown type shows nothing."""
    write = _WRITERS.get(content_type)
    return write(data, media_prefix) if write else {"html": _safe("")}


def _safe(html: str) -> SafeString:
    """For what comes out of the sanitiser, and for nothing else."""
    return mark_safe(html)  # noqa: S308 # sanitised


def _html(source: str, media_prefix: str) -> SafeString:
    return _safe(render_lesson(source, media_prefix=media_prefix) if source else "")


def _inline_html(source: str, media_prefix: str) -> SafeString:
    """Without the paragraph around it where there is one alone, for a place inside a line."""
    html = render_lesson(source, media_prefix=media_prefix).strip()
    only = re.fullmatch("<p>((?:(?!</?p>).)*)</p>", html, re.DOTALL)
    return _safe(only.group(1) if only else html)


def _file_url(path: str | None, media_prefix: str) -> str:
    return media_prefix + quote(path) if path else ""


def _text(data: Data, media_prefix: str) -> Content:
    render = render_imported_html if data["format"] == "html" else render_lesson
    return {"html": _safe(render(data["body"], media_prefix=media_prefix))}


def _video(data: Data, media_prefix: str) -> Content:
    is_youtube = data["provider"] == "youtube"
    captions = [
        {"language": row["language"], "label": row["label"], "url": _file_url(row["file"], media_prefix)}
        for row in data.get("captions", [])
    ]
    return {
        "youtube_id": data.get("youtube_id", "") if is_youtube else "",
        "file_url": "" if is_youtube else _file_url(data.get("file"), media_prefix),
        "poster_url": _file_url(data.get("poster"), media_prefix),
        "captions": captions,
        "transcript": data.get("transcript", ""),
        "description_html": _html(data.get("description", ""), media_prefix),
    }


def _quiz(data: Data, media_prefix: str) -> Content:
    return {
        "introduction_html": _html(data.get("introduction", ""), media_prefix),
        "questions": [_question(question, media_prefix) for question in data["questions"]],
    }


def _question(question: Data, media_prefix: str) -> Content:
    """`targets` are what options are matched to; a question that does not name them apart offers all its options."""
    options = question.get("options", [])
    targets = (question.get("targets") or options) if question["kind"] == "matching" else []
    return {
        "id": question["id"],
        "kind": question["kind"],
        "points": question["points"],
        "prompt_html": _html(question["prompt"], media_prefix),
        "options": [{"id": each["id"], "text": _inline_html(each["text"], media_prefix)} for each in options],
        # A browser's list of choices shows no markup.
        "targets": [{"id": each["id"], "text": plain_text(each["text"], format="markdown")} for each in targets],
    }


def _lab(data: Data, media_prefix: str) -> Content:
    steps = [{"title": step["title"], "body_html": _html(step["body"], media_prefix)} for step in data["steps"]]
    return {
        "introduction_html": _html(data["introduction"], media_prefix),
        "steps": steps,
        "language": data["language"],
        "starter_html": _html(_listing(data["starter_code"], data["language"]), media_prefix),
    }


def _listing(code: str, language: str) -> str:
    """Markdown's fence, longer than any run of its own sign in the code."""
    fence = "`" * max(3, 1 + max(map(len, re.findall("`+", code)), default=0))
    code = code.rstrip("\n")
    return f"{fence}{language}\n{code}\n{fence}\n" if code.strip() else ""


def _assignment(data: Data, media_prefix: str) -> Content:
    return {
        "instructions_html": _html(data["instructions"], media_prefix),
        "submission": data["submission"],
        "points": data["points"],
    }


def _resource(data: Data, media_prefix: str) -> Content:
    url, file = data.get("url", ""), data.get("file", "")
    host = link_host(url)
    return {
        "description_html": _html(data["description"], media_prefix),
        "url": url if host else "",
        "host": host or "",
        "file_url": _file_url(file, media_prefix),
        "file_name": file.rpartition("/")[2],
    }


_WRITERS: dict[str, Callable[[Data, str], Content]] = {
    "text": _text,
    "video": _video,
    "quiz": _quiz,
    "engineering_lab": _lab,
    "assignment": _assignment,
    "resource": _resource,
}

# Types that have a template of their own.
SHOWN_TYPES = frozenset(_WRITERS)
