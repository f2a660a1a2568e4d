import html
import re
from functools import cache

import pygments
from pygments.formatters import HtmlFormatter
from pygments.lexer import Lexer
from pygments.lexers import find_lexer_class_by_name
from pygments.token import STANDARD_TYPES

CLASSES = frozenset(name for name in STANDARD_TYPES.values() if name)

# Pygments is regular expressions, and a listing made for it (ten kilobytes of "m{" in Perl, of empty lines in C) holds
# them for seconds. These languages stay under half a second on the worst we tried, within the limits below.
_LANGUAGES = frozenset(
    """
    bash sh shell console c cpp c++ c# csharp cs css diff go golang haskell hs html ini java javascript js json
    julia kotlin kt latex tex lua makefile matlab octave numpy ocaml php pycon python py python3 r ruby rb rust rs
    scala scheme sql swift toml typescript ts verilog vhdl xml yaml yml
    """.split()  # noqa: SIM905
)
_SLOW_LANGUAGES = frozenset(("java", "c#", "csharp", "cs"))
_MAX_CHARS = 10_000
_MAX_CHARS_IF_SLOW = 2_500
_LONG_LINE_OR_GAP = re.compile(r"[^\n]{301}|\n(?:[ \t]*\n){7}")

_FORMATTER = HtmlFormatter(nowrap=True)


def code_block(source: str, language: str = "") -> str:
    """A listing as HTML, coloured if its language is one of ours. Focusable, because a wide one scrolls sideways."""
    coloured = _coloured(source, language.lower()) if _can_colour(source, language.lower()) else _plain(source)
    return f'<pre tabindex="0"><code class="highlight">{coloured}</code></pre>\n'


def _can_colour(source: str, language: str) -> bool:
    limit = _MAX_CHARS_IF_SLOW if language in _SLOW_LANGUAGES else _MAX_CHARS
    return language in _LANGUAGES and len(source) <= limit and not _LONG_LINE_OR_GAP.search(source)


def _coloured(source: str, language: str) -> str:
    return pygments.highlight(source, _lexer_class(language)(stripnl=False), _FORMATTER)


def _plain(source: str) -> str:
    return html.escape(source, quote=False)


@cache
def _lexer_class(language: str) -> type[Lexer]:
    return find_lexer_class_by_name(language)
