"""An html component: its page with the files' addresses rewritten, and what the sanitiser will take from it."""

from dataclasses import dataclass

from lms.courses.importing.html_references import has_pictures, losses, rewrite_html
from lms.courses.importing.olx_static import Statics
from lms.courses.importing.references import Reference
from lms.courses.markdown import plain_text, render_imported_html


@dataclass(frozen=True)
class HtmlPage:
    body: str
    losses: list[str]
    # Nothing remains for a reader, as with components that only carry a script or a style sheet.
    is_empty: bool


def read_html(source: str, statics: Statics) -> HtmlPage:
    lost: list[str] = []

    def resolve(reference: Reference) -> str:
        return statics.resolve(reference, lost)

    try:
        body, is_readable = rewrite_html(source, resolve), True
    except ValueError:
        body, is_readable = source, False
    shown = render_imported_html(body, media_prefix="/")
    lost += losses(body, shown) if is_readable else ["its markup is broken, so its pictures were not looked for"]
    is_empty = not plain_text(shown, format="html").strip() and not has_pictures(shown)
    if is_empty:
        lost.append("nothing is left to read, so it is a draft that students do not see")
    return HtmlPage(body, lost, is_empty)
