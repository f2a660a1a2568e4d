"""Files that are two things at once: taken in as what their content is, kept under its hash, served as that alone."""

import hashlib
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.test import Client

from lms.courses.actions.content_types import load_content_types
from lms.courses.actions.courses import publish_course
from lms.courses.importing.reading import read_source
from lms.courses.importing.writing import import_course
from lms.courses.models import MediaAsset, media_upload_path
from tests.courses.importing.samples import GIF, JPEG, MARKDOWN, PDF, PNG, WEBP, write
from tests.world import World

pytestmark = pytest.mark.django_db

HTML = b"<!DOCTYPE html><html><script>alert(document.domain)</script></html>"
SVG = (
    b'<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"><script>alert(2)</script>'
    b'<a href="javascript:alert(3)"><rect width="9" height="9"/></a>'
    b'<foreignObject><body xmlns="http://www.w3.org/1999/xhtml"><iframe src="//evil.example/"/></body></foreignObject>'
    b"</svg>"
)
SANDBOX = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
DOWNLOAD = "application/octet-stream"

# Name, content, and the type under which it is served.
TAKEN = [
    ("a.png", PNG + HTML, "image/png"),
    ("b.jpg", JPEG + HTML, "image/jpeg"),
    ("c.gif", GIF[:6] + b"/*" + GIF[8:] + b"*/=1;alert(1)//" + HTML, "image/gif"),
    ("d.webp", WEBP + HTML, "image/webp"),
    # Named as one picture and another by content.
    ("e.jpeg", PNG + HTML, "image/png"),
    ("f.svg", SVG, "image/svg+xml"),
    ("g.pdf", PDF + HTML, "application/pdf"),
    ("h.zip", b"PK\x03\x04" + HTML, DOWNLOAD),
    ("i.txt", HTML, DOWNLOAD),
    ("j.csv", HTML + b"\r", DOWNLOAD),
    ("k.py", HTML + b" ", DOWNLOAD),
    ("l.html.txt", HTML + b"\n", DOWNLOAD),
]
REFUSED = [
    ("m.png", HTML + PNG),
    ("n.html", HTML),
    ("o.svg", HTML),
    ("p.svg", b'<?xml version="1.0"?><html xmlns="http://www.w3.org/1999/xhtml"><svg/></html>'),
    ("q.svg", b'<?xml-stylesheet href="//evil.example/x.xsl"?><svg xmlns="http://www.w3.org/1999/xhtml"/>'),
    ("r.pdf", HTML + PDF),
    ("s.png.php", PNG),
    ("t.xhtml", SVG),
    ("u.gif", SVG),
    ("v.js", b"alert(1)"),
    ("w.mp4", HTML),
]


@pytest.fixture
def course(world: World, tmp_path: Path) -> int:
    """A course with a lesson that names all of these, as its students see it."""
    load_content_types()
    links = "\n\n".join(f"[{name}](files/{name})" for name, *_ in [*TAKEN, *REFUSED])
    lesson = f"---\ntitle: Why it balances\ntype: text\n---\n{links}\n"
    files = MARKDOWN | {"01-levers/02-balance/01-reading.md": lesson}
    files |= {f"01-levers/02-balance/files/{name}": content for name, content, *_ in [*TAKEN, *REFUSED]}
    source, ledger = read_source(write(tmp_path / "course", files))
    taken = import_course(by=world.tess, university=world.north, source=source, ledger=ledger).course
    publish_course(by=world.tess, course=taken)
    return taken.pk


def address(course: int, name: str) -> str:
    return f"/north/media/{course}/01-levers/02-balance/files/{name}"


def test_each_is_served_as_what_it_is_and_nothing_else(client: Client, world: World, course: int) -> None:
    client.force_login(world.sam)
    for name, content, served in TAKEN:
        answer = client.get(address(course, name))
        told = {header: answer.headers.get(header) for header in ("Content-Type", "X-Content-Type-Options")}
        assert (name, answer.status_code, answer.content, told) == (
            name,
            200,
            content,
            {"Content-Type": served, "X-Content-Type-Options": "nosniff"},
        )
        is_download = served == DOWNLOAD
        assert answer.headers.get("Content-Disposition") == (f'attachment; filename="{name}"' if is_download else None)
        policy = answer.headers["Content-Security-Policy"]
        assert policy == SANDBOX if served == "image/svg+xml" else "script-src 'self'" in policy


def test_what_is_not_what_it_claims_is_not_taken_in(client: Client, world: World, course: int) -> None:
    client.force_login(world.sam)
    assert {name: client.get(address(course, name)).status_code for name, _content in REFUSED} == {
        name: 404 for name, _content in REFUSED
    }


def test_each_is_kept_under_the_hash_of_its_content(world: World, course: int) -> None:
    kept = {asset.path.rpartition("/")[2]: asset.file.name for asset in MediaAsset.objects.filter(course=course)}
    expected = {
        name: f"{world.north.pk}/{course}/{hashlib.sha256(content).hexdigest()}.{name.rpartition('.')[2]}"
        for name, content, _served in TAKEN
    }
    assert {name: kept[name] for name in expected} == expected
    assert all(default_storage.exists(name) for name in expected.values())


@pytest.mark.parametrize("name", ["x.../../../evil", "x./etc/cron", "x.\\..\\evil", "x.png/"])
def test_an_ending_leads_nowhere_else(world: World, name: str) -> None:
    asset = MediaAsset(university=world.north, course=world.course, path=name, sha256="0" * 64)
    with pytest.raises(ValueError, match="cannot be part of a key"):
        media_upload_path(asset, name)
