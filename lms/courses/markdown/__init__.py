"""Untrusted text to safe HTML: lessons, imported pages and model replies, each sanitised last; and to plain text."""

from lms.courses.markdown.imported import render_imported_html
from lms.courses.markdown.lessons import render_lesson
from lms.courses.markdown.plain import plain_text
from lms.courses.markdown.replies import FinishedBlocks, ReplyRenderer, render_reply

__all__ = [
    "FinishedBlocks",
    "ReplyRenderer",
    "plain_text",
    "render_imported_html",
    "render_lesson",
    "render_reply",
]
