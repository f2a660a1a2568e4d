"""Files of an Open edX export, and the many ways in which its pages name them."""

import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from lms.courses.importing.folder import SourceFolder
from lms.courses.importing.media import Shelf, captions_path
from lms.courses.importing.references import Reference, as_address

STATIC = "static"
# /static/x, /asset-v1:ORG+COURSE+RUN+type@asset+block@x and the older /c4x/ORG/COURSE/asset/x.
_ASSET_FORMS = (
    re.compile(r"^(?:\.{0,2}/)*static/(?P<name>.+)$"),
    re.compile(r"^/?(?:assets/courseware/.+/)?asset-v1:(?P<course>[^/@]+)\+type@asset\+block[@/](?P<name>.+)$"),
    re.compile(r"^/?c4x/[^/]+/[^/]+/asset/(?P<name>.+)$"),
)
# What Open edX puts an underscore for in the name of an uploaded file.
_NOT_IN_NAMES = re.compile(r"[^\w.%~-]")


@dataclass
class Statics:
    """The files under static/, found as Open edX finds them: "thank you.png" is also thank_you.png."""

    folder: SourceFolder
    shelf: Shelf
    course_id: str
    _paths: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        files = list(self.folder.walk(STATIC)) if self.folder.locate(STATIC).is_dir() else []
        names = {path: path.removeprefix(f"{STATIC}/") for path in files}
        self._paths = {name: path for path, name in names.items()}
        for path, name in names.items():
            self._paths.setdefault(_NOT_IN_NAMES.sub("_", name), path)

    def find(self, name: str) -> str | None:
        """The path in the export of a file that is named without its folder."""
        return self._paths.get(name) or self._paths.get(_NOT_IN_NAMES.sub("_", name))

    def asset_name(self, address: str) -> str | None:
        """The file's name where an address is one of a file of this course, else None."""
        try:
            parts = urlsplit(unquote(address))
        except ValueError:
            return None
        is_elsewhere = bool(parts.netloc)
        path = f"{parts.scheme}:{parts.path}" if parts.scheme == "asset-v1" else parts.path
        if is_elsewhere and f"asset-v1:{self.course_id}+" not in path:
            return None
        found = next((match for form in _ASSET_FORMS if (match := form.match(path))), None)
        return found["name"] if found else None

    def resolve(self, reference: Reference, losses: list[str]) -> str:
        """The address of a file of the course under its media path; of anything else, what can be kept of it."""
        address = reference.address
        name = self.asset_name(address)
        if name is not None:
            path = self.take(name, losses)
            return as_address(path) + _fragment(reference) if path else ""
        if reference.is_remote:
            if reference.is_embedded:
                losses.append(f"a link stands for the picture at {_place(address)}")
            return address
        if address.startswith("#"):
            return address
        what = "picture without a file" if reference.is_embedded else "link to another place of the platform"
        losses.append(f"a {what} was removed")
        return ""

    def take(self, name: str, losses: list[str]) -> str:
        """The media path of a file of the course, or "" with the loss noted."""
        path = self.find(name)
        if path is None:
            losses.append(f"{STATIC}/{name} is not in the export")
            return ""
        reason = self.shelf.take(path, path)
        if reason:
            losses.append(f"{path}: {reason}")
            return ""
        return path

    def take_captions(self, name: str, losses: list[str]) -> str:
        path = self.find(name)
        if path is None:
            losses.append(f"the captions {name} are not in the export")
            return ""
        reason = self.shelf.take_captions(path, captions_path(path))
        if reason:
            losses.append(f"{path}: {reason}")
            return ""
        return captions_path(path)


def _fragment(reference: Reference) -> str:
    return "#" + reference.suffix.partition("#")[2] if "#" in reference.suffix else ""


def _place(address: str) -> str:
    try:
        return urlsplit(address).netloc or "an address inside the page"
    except ValueError:
        return "a broken address"
