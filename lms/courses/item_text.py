"""What an item says, as plain text for the tutor and for search. Reads `ContentItem.data`, which holds no answers."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from lms.courses.markdown import plain_text

Data = Mapping[str, Any]


def item_text(content_type: str, data: Data) -> str:
    """Paragraphs separated by a blank line; empty where an item has no words (a bare file, say)."""
    paragraphs = _WRITERS.get(content_type, _no_words)(data)
    return "\n\n".join(text for text in paragraphs if text)


def _markdown(source: str) -> str:
    return plain_text(source, format="markdown").strip()


def _text(data: Data) -> Iterator[str]:
    yield plain_text(data["body"], format=data["format"]).strip()


def _video(data: Data) -> Iterator[str]:
    yield _markdown(data.get("description", ""))
    yield data.get("transcript", "").strip()


def _quiz(data: Data) -> Iterator[str]:
    yield _markdown(data.get("introduction", ""))
    for number, question in enumerate(data.get("questions", []), 1):
        yield f"Question {number}: {_markdown(question['prompt'])}"
        yield "\n".join(f"- {_markdown(option['text'])}" for option in question.get("options", []))


def _lab(data: Data) -> Iterator[str]:
    yield _markdown(data.get("introduction", ""))
    for step in data.get("steps", []):
        yield f"{step['title']}\n{_markdown(step['body'])}"
    yield data.get("starter_code", "").strip()


def _assignment(data: Data) -> Iterator[str]:
    yield _markdown(data.get("instructions", ""))


def _resource(data: Data) -> Iterator[str]:
    yield _markdown(data.get("description", ""))


def _no_words(data: Data) -> Iterator[str]:
    return iter(())


_WRITERS: dict[str, Callable[[Data], Iterator[str]]] = {
    "text": _text,
    "video": _video,
    "quiz": _quiz,
    "engineering_lab": _lab,
    "assignment": _assignment,
    "resource": _resource,
}
