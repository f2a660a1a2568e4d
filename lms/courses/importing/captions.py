"""Captions as WebVTT, from SubRip (.srt), WebVTT and Open edX's older .srt.sjson; and what is said in them as text.

WebVTT: https://www.w3.org/TR/webvtt1/. SubRip has no standard; this reads what players read.
"""

import html
import json
import re
from dataclasses import dataclass

_HOURS = r"(?:(\d{1,3}):)?(\d{1,2}):(\d{2})[.,](\d{1,3})"
_TIMING = re.compile(rf"^\s*{_HOURS}\s*-->\s*{_HOURS}")
_KEPT_TAG = re.compile(r"&lt;(/?[biu])&gt;", re.IGNORECASE)
_ANY_TAG = re.compile(r"</?[a-z][^>\n]*>", re.IGNORECASE)


class BadCaptions(Exception):
    """Not captions of a known form; the text says why."""


@dataclass(frozen=True)
class Cue:
    """Times in milliseconds; the text is plain but for <b>, <i> and <u>."""

    start_ms: int
    end_ms: int
    text: str


def convert_to_vtt(text: str, path: str) -> str:
    """The captions of a file as WebVTT; what already is WebVTT comes back as it is."""
    if is_vtt(text):
        return text
    return _write_vtt(_read_cues(text, path))


def spoken_text(text: str, path: str) -> str:
    """What is said, in one paragraph, without times or marks."""
    said = (html.unescape(_ANY_TAG.sub("", cue.text)) for cue in _read_cues(text, path))
    return " ".join(" ".join(said).split())


def is_vtt(text: str) -> bool:
    return re.match(r"WEBVTT(?:[ \t\n\r]|$)", text) is not None


def _read_cues(text: str, path: str) -> list[Cue]:
    cues = _read_sjson(text) if path.lower().endswith(".sjson") else _read_blocks(text)
    if not cues and not is_vtt(text):
        raise BadCaptions("it holds no captions")
    return cues


def _read_blocks(text: str) -> list[Cue]:
    """Cues of SubRip or WebVTT: a line with times, and the text until the next blank line."""
    cues = []
    for block in re.split(r"\n[ \t]*\n", text.replace("\r\n", "\n").replace("\r", "\n")):
        lines = block.strip("\n").split("\n")
        found = ((at, times) for at, line in enumerate(lines[:2]) if (times := _TIMING.match(line)))
        timed, times = next(found, (0, None))
        if times is None:
            continue
        words = "\n".join(line.strip() for line in lines[timed + 1 :] if line.strip())
        cues.append(Cue(_milliseconds(*times.groups()[:4]), _milliseconds(*times.groups()[4:]), words))
    return cues


def _milliseconds(hours: str | None, minutes: str, seconds: str, fraction: str) -> int:
    return ((int(hours or 0) * 60 + int(minutes)) * 60 + int(seconds)) * 1000 + int(fraction.ljust(3, "0"))


def _read_sjson(text: str) -> list[Cue]:
    try:
        stored = json.loads(text)
        rows = zip(stored["start"], stored["end"], stored["text"], strict=True)
        return [Cue(int(start), int(end), html.unescape(str(words))) for start, end, words in rows]
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError):
        raise BadCaptions("it is not a list of captions") from None


def _write_vtt(cues: list[Cue]) -> str:
    blocks = ["WEBVTT"]
    for cue in cues:
        blocks.append(f"{_clock(cue.start_ms)} --> {_clock(cue.end_ms)}\n{_vtt_text(cue.text)}")
    return "\n\n".join(blocks) + "\n"


def _vtt_text(text: str) -> str:
    """Escaped for WebVTT; SubRip's bold, italic and underline stay, its other tags (fonts, colours) go."""
    kept = re.sub(r"<(?!/?[biu]>)/?[a-z][^>\n]*>", "", text, flags=re.IGNORECASE)
    escaped = _KEPT_TAG.sub(r"<\1>", html.escape(kept, quote=False))
    # A blank line would end the cue.
    return re.sub(r"\n\s*\n", "\n", escaped)


def _clock(milliseconds: int) -> str:
    seconds, rest = divmod(milliseconds, 1000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{rest:03}"
