import html
import re
from functools import lru_cache
from xml.etree.ElementTree import Element, tostring

from latex2mathml.converter import Converter

MAX_FORMULA_CHARS = 2000

# latex2mathml knows only the numbered and starred forms; models and authors write the inner forms just as often.
_ENVIRONMENTS = {"aligned": "align*", "gathered": "array"}
_ENVIRONMENT = re.compile(r"\\(begin|end)\{(aligned|gathered)\}")


@lru_cache(maxsize=512)
def mathml(latex: str, *, display: bool) -> str:
    """MathML for one formula, not yet sanitised; a formula that cannot be converted comes back as its source in `code`.

    Cached because a streamed reply is rendered twice: block by block, and whole at its end.
    """
    try:
        if len(latex) > MAX_FORMULA_CHARS:
            raise ValueError("formula too long")
        root = Converter(display="block" if display else "inline").convert_to_element(_known_environments(latex))
        return _serialise(root)
    # The converter meets text nobody vouches for and fails in many ways of its own (RecursionError, IndexError, its own
    # classes); whichever it is, the reader is better served by the source than by an error.
    except Exception:
        return f'<code class="formula-source">{html.escape(latex)}</code>'


def _known_environments(latex: str) -> str:
    return _ENVIRONMENT.sub(_known_environment, latex)


def _known_environment(match: re.Match[str]) -> str:
    verb, name = match.groups()
    columns = "{c}" if (verb, name) == ("begin", "gathered") else ""
    return f"\\{verb}{{{_ENVIRONMENTS[name]}}}{columns}"


def _serialise(root: Element) -> str:
    """Not by the converter's own serialiser, which leaves `<` as the author wrote it unescaped."""
    root.attrib.pop("xmlns", None)
    for element in root.iter():
        # It keeps its signs as character references in the text nodes.
        if element.text:
            element.text = html.unescape(element.text)
        # Chromium's MathML has no columnalign, so the alignment goes into a class that the style sheet knows.
        if alignment := element.attrib.pop("columnalign", None):
            element.set("class", f"align-{alignment.split()[0]}")
    return tostring(root, encoding="unicode", short_empty_elements=False)
