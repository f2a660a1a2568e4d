import hashlib

import pytest

from lms.courses.importing import media
from lms.courses.importing.folder import SourceFolder
from lms.courses.importing.ledger import Entry, Ledger, Outcome
from lms.courses.importing.media import Shelf, captions_path
from lms.courses.importing.source import SourceFile
from tests.courses.importing import samples
from tests.courses.importing.samples import write


@pytest.fixture
def ledger():
    return Ledger()


@pytest.fixture
def shelf(tmp_path, ledger):
    return Shelf(SourceFolder(tmp_path), ledger)


@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.png", samples.PNG, "image/png"),
        ("a.JPG", samples.JPEG, "image/jpeg"),
        ("a.gif", samples.GIF, "image/gif"),
        ("a.webp", samples.WEBP, "image/webp"),
        ("a.jpeg", samples.PNG, "image/png"),
        ("a.svg", samples.SVG, "image/svg+xml"),
        ("a.webm", samples.WEBM, "video/webm"),
        ("a.mp4", samples.MP4, "video/mp4"),
        ("a.pdf", samples.PDF, "application/pdf"),
        ("a.zip", b"PK\x03\x04", "application/zip"),
        ("a.vtt", "WEBVTT\n", "text/vtt"),
        ("a.srt", samples.SRT, "text/plain"),
        ("a.txt", "é", "text/plain"),
        ("a.csv", "a,b", "text/csv"),
        ("a.py", "print()", "text/x-python"),
        ("a.ipynb", '{"cells": []}', "application/x-ipynb+json"),
    ],
)
def test_known_kinds_are_taken_in_by_their_content(tmp_path, shelf, ledger, name, content, media_type):
    write(tmp_path, {name: content})
    raw = content.encode() if isinstance(content, str) else content
    assert shelf.take(name, name) == ""
    assert shelf.take(name, name) == ""
    assert shelf.files == [SourceFile(name, media_type, len(raw), hashlib.sha256(raw).hexdigest(), tmp_path / name)]
    assert ledger.entries == [Entry(name, "file", Outcome.MAPPED)]
    with shelf.files[0].open() as file:
        assert file.read() == raw


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.exe", b"MZ", "files of the kind .exe are not taken in"),
        ("a.html", "<p>", "files of the kind .html are not taken in"),
        ("a", b"x", "its kind is not known"),
        ("a.png", b"<script>", "its content is not what .png promises"),
        ("a.png", samples.PDF, "its content is not what .png promises"),
        ("a.pdf", samples.PNG, "its content is not what .pdf promises"),
        ("a.png", b"", "its content is not what .png promises"),
        ("a.txt", b"\xff", "it is not UTF-8 text"),
        ("a.txt", b"a\0b", "it is not text"),
        ("a.svg", "<html/>", "it is not an SVG picture"),
        ("a.svg", "<svg>", "a.svg, line 1: is not well-formed XML."),
        (
            "a.svg",
            '<!DOCTYPE svg [<!ENTITY a "b">]><svg>&a;</svg>',
            "a.svg: declares entities or a document type, which no course export needs.",
        ),
        ("a.vtt", "00:01.000 --> 00:02.000\nx", "it is not WebVTT"),
        ("a.ipynb", "{}", "it is not a notebook"),
        ("a.ipynb", "3", "it is not a notebook"),
    ],
)
def test_other_files_are_refused_with_the_reason(tmp_path, shelf, ledger, name, content, reason):
    write(tmp_path, {name: content})
    assert shelf.take(name, name) == reason
    assert shelf.take(name, name) == reason
    assert shelf.files == []
    assert ledger.entries == [Entry(name, "file", Outcome.REFUSED, reason)]


def test_files_that_are_too_large(tmp_path, shelf, monkeypatch):
    monkeypatch.setattr(media, "MAX_FILE_BYTES", 20)
    monkeypatch.setattr(media, "MAX_TEXT_BYTES", 3)
    write(tmp_path, {"a.png": samples.PNG, "a.txt": "four"})
    assert shelf.take("a.png", "a.png") == "it is larger than 0 MB"
    assert shelf.take("a.txt", "a.txt") == "it is larger than 0 MB"


def test_a_path_that_no_column_can_hold(tmp_path, shelf):
    name = "/".join(["x" * 100] * 5) + ".png"
    write(tmp_path, {name: samples.PNG})
    assert shelf.take(name, name) == "its path is too long"


def test_captions_are_converted(tmp_path, shelf):
    write(tmp_path, {"film.srt": samples.SRT, "film.txt": "no captions", "film.bin.srt": b"\xff"})
    assert shelf.take_captions("film.srt", captions_path("film.srt")) == ""
    assert shelf.take_captions("film.txt", "x.vtt") == "it holds no captions"
    assert shelf.take_captions("film.bin.srt", "y.vtt") == "it is not UTF-8 text"
    (file,) = shelf.files
    assert (file.path, file.media_type) == ("film.vtt", "text/vtt")
    with file.open() as content:
        assert content.read().decode() == samples.SRT_AS_VTT


def test_paths_of_captions():
    names = ["a/film.srt", "subs_x.srt.sjson", "b.vtt", "c.d"]
    assert [captions_path(name) for name in names] == ["a/film.vtt", "subs_x.vtt", "b.vtt", "c.d.vtt"]
