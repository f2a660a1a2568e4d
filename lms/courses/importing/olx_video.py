"""A video component: where the film is, its captions, and what is said in it."""

import json
import re
from dataclasses import dataclass, field
from typing import Any
from xml.etree.ElementTree import Element

from django.conf.locale import LANG_INFO

from lms.courses.importing.captions import spoken_text
from lms.courses.importing.olx_static import Statics
from lms.courses.importing.references import as_address

# The 1.0 is the film's speed; the others are the same film slowed down or sped up, from before players could.
_NORMAL_SPEED = "1.00"
_WHOLE_FILM = ("", "00:00:00", "0")
_YOUTUBE_ID = re.compile(r"[A-Za-z0-9_-]{6,20}")
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{1,8})*")


@dataclass
class Video:
    """`content_type` is empty where there is no film that could be shown."""

    content_type: str = ""
    data: dict[str, Any] = field(default_factory=dict)
    losses: list[str] = field(default_factory=list)


def read_video(element: Element, statics: Statics, language: str) -> Video:
    video = Video()
    source = _source(element, statics, video.losses)
    if source is None:
        return video
    captions, transcript = _captions(element, statics, language, video.losses)
    description = _handout(element, statics, video.losses)
    if "url" in source:
        video.content_type = "resource"
        video.data = {"url": source["url"], "description": "\n\n".join(filter(None, [description, transcript]))}
        return video
    video.content_type = "video"
    video.data = {**source, "captions": captions, "transcript": transcript, "description": description}
    if element.get("start_time", "") not in _WHOLE_FILM or element.get("end_time", "") not in _WHOLE_FILM:
        part = f"{element.get('start_time', '')} to {element.get('end_time', '') or 'the end'}"
        video.losses.append(f"the whole film is shown, not only the part from {part}")
    return video


def _source(element: Element, statics: Statics, losses: list[str]) -> dict[str, str] | None:
    """A file of the course before YouTube, and a film elsewhere, which can only be linked, last."""
    addresses = _film_addresses(element)
    missing: list[str] = []
    for address in addresses:
        name = statics.asset_name(address)
        path = statics.take(name, missing) if name else ""
        if path:
            return {"provider": "file", "file": path}
    youtube_id = _youtube_id(element)
    if youtube_id:
        return {"provider": "youtube", "youtube_id": youtube_id}
    losses += missing
    remote = next((address for address in addresses if address.startswith("https://")), None)
    if remote is None:
        losses.append("there is no film that could be shown")
        return None
    losses.append("the film is elsewhere on the web, so it is a link")
    return {"url": remote}


def _film_addresses(element: Element) -> list[str]:
    listed = _json(element.get("html5_sources", ""), list)
    named = [source.get("src", "") for source in element.findall("source")]
    encoded = [source.get("url", "") for source in element.iter("encoded_video")]
    addresses = [str(address).strip() for address in [*listed, element.get("source", ""), *named, *encoded]]
    return [address for address in addresses if address]


def _youtube_id(element: Element) -> str:
    speeds = dict(pair.partition(":")[::2] for pair in element.get("youtube", "").split(","))
    found = (element.get("youtube_id_1_0") or speeds.get(_NORMAL_SPEED) or speeds.get("1.0") or "").strip()
    return found if _YOUTUBE_ID.fullmatch(found) else ""


def _captions(element: Element, statics: Statics, language: str, losses: list[str]) -> tuple[list[dict[str, str]], str]:
    """The captions, and what is said, in the course's language where there is one."""
    captions = []
    spoken: dict[str, str] = {}
    for tag, name in _caption_files(element, statics).items():
        path = statics.take_captions(name, losses)
        if path:
            captions.append({"language": tag, "label": _language_name(tag), "file": path})
            found = statics.find(name) or ""
            spoken[tag] = spoken_text(statics.folder.read_text(found), found)
    return captions, spoken.get(language) or next(iter(spoken.values()), "")


def _caption_files(element: Element, statics: Statics) -> dict[str, str]:
    """File names under static/ by language tag: as an attribute, as elements, and in the oldest way as `sub`."""
    files = {child.get("language", ""): child.get("src", "") for child in element.findall("transcript")}
    files |= {str(tag): str(name) for tag, name in _json(element.get("transcripts", ""), dict).items()}
    sub = element.get("sub", "").strip()
    if sub and "en" not in files:
        files["en"] = next((name for name in (f"subs_{sub}.srt.sjson", f"{sub}.srt") if statics.find(name)), "")
    tagged = {tag.strip().replace("_", "-"): name for tag, name in files.items()}
    return {tag: name for tag, name in tagged.items() if name and _LANGUAGE.fullmatch(tag)}


def _language_name(tag: str) -> str:
    """In the language itself, as players list them; the tag where nobody knows it."""
    return str(LANG_INFO.get(tag.lower(), {}).get("name_local", tag))


def _handout(element: Element, statics: Statics, losses: list[str]) -> str:
    """A link to the file that goes with the film, as the description."""
    name = statics.asset_name(element.get("handout", "")) or ""
    path = statics.take(name, losses) if name else ""
    return f"[Handout]({as_address(path)})" if path else ""


def _json(text: str, type_: type[Any]) -> Any:
    """The list or mapping that an attribute holds as JSON; empty where it holds anything else."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return type_()
    return value if isinstance(value, type_) else type_()
