from datetime import UTC, datetime

import pytest

from lms.courses.importing.errors import BrokenSource, ImportRefused, MissingFile, UnsafeSource
from lms.courses.importing.ledger import Entry, Ledger, Outcome
from lms.courses.importing.reading import read_source
from lms.courses.importing.source import SourceCourse
from tests.courses.importing.samples import OLX, PDF, PNG, Files, write

REST = [
    Entry("wiki/run1.2", "wiki", Outcome.NOT_MAPPED, "elements of this kind are not imported yet"),
    Entry("about/short_description.html", "about", Outcome.MAPPED),
    Entry("static/unused.png", "file", Outcome.NOT_MAPPED, "no imported page uses it"),
]


@pytest.fixture
def read(tmp_path):
    def read(changes: Files | None = None) -> tuple[SourceCourse, Ledger]:
        return read_source(write(tmp_path / "course", OLX | (changes or {})))

    return read


def entry(ledger: Ledger, source: str) -> Entry:
    return next(entry for entry in ledger.entries if entry.source == source)


def body(course: SourceCourse, key: str = "html/h1") -> str:
    return next(item.data["body"] for _, item in course.items() if item.key == key)


def test_the_course_and_its_tree_in_order(read):
    course, _ = read()
    assert (course.key, course.code, course.title) == ("olx:Orchard+APP7+run1", "APP7", "Apples")
    assert (course.slug, course.language, course.level) == ("apples", "en", "")
    assert course.description == "From seed to tree."
    assert [(module.key, module.type, module.title) for module in course.root.walk()] == [
        ("course/run1", "course_root", "Apples"),
        ("chapter/c1", "chapter", "Seeds"),
        ("sequential/s1", "section", "Sowing"),
        ("vertical/v1", "lesson", "Into the ground"),
        ("chapter/c2", "chapter", "Trees"),
    ]
    assert [(module.key, item.key, item.title) for module, item in course.items()] == [
        ("vertical/v1", "html/h1", "How deep?"),
        ("vertical/v1", "video/f1", "A spring"),
        ("vertical/v1", "html/h2", "Inline"),
    ]
    assert course.counts() == {
        "chapter": 2,
        "sequential": 1,
        "vertical": 1,
        "html item": 2,
        "video item": 1,
        "file": 2,
    }


def test_pages_from_files_and_in_place(read):
    course, _ = read()
    assert body(course) == '<p>A hand deep.</p><img src="static/the%20seed.png" alt="A seed">'
    assert body(course, "html/h2") == "<p>Water <b>it</b>.</p> Wait."
    assert [(file.path, file.media_type) for file in course.files] == [
        ("static/the seed.png", "image/png"),
        ("static/spring-en.vtt", "text/vtt"),
    ]


def test_the_ledger_names_everything(read):
    _, ledger = read()
    assert ledger.entries == [
        Entry("course/run1", "course", Outcome.MAPPED),
        Entry("chapter/c1", "chapter", Outcome.MAPPED),
        Entry("sequential/s1", "sequential", Outcome.MAPPED),
        Entry("vertical/v1", "vertical", Outcome.MAPPED),
        Entry("static/the seed.png", "file", Outcome.MAPPED),
        Entry("html/h1", "html item", Outcome.MAPPED),
        Entry("problem/p1", "problem", Outcome.NOT_MAPPED, "problems are not imported yet"),
        Entry("static/spring-en.srt", "file", Outcome.MAPPED),
        Entry("video/f1", "video item", Outcome.MAPPED),
        Entry("html/h2", "html item", Outcome.MAPPED),
        Entry("chapter/c2", "chapter", Outcome.MAPPED),
        *REST,
    ]


def test_a_course_written_in_one_file(read):
    everything = (
        '<course org="O" course="C" url_name="r" display_name="One"><chapter display_name="Ch">'
        '<sequential display_name="S"><vertical display_name="V"><html>&lt;p&gt;x&lt;/p&gt;</html>'
        '<html url_name="named"><![CDATA[<p>a &amp; b</p>]]></html></vertical></sequential></chapter></course>'
    )
    course, _ = read({"course.xml": everything})
    assert [(item.key, item.title, item.data["body"]) for _, item in course.items()] == [
        ("html/r.0.0.0.0", "V", "<p>x</p>"),
        ("html/named", "V", "<p>a &amp; b</p>"),
    ]


def test_a_page_without_a_definition_and_one_with_a_path(read):
    changes: Files = {
        "vertical/v1.xml": '<vertical><html url_name="old"/><html url_name="deep:new"/></vertical>',
        "html/old.html": "<p>Old.</p>",
        "html/deep/new.xml": '<html filename="deep/new"/>',
        "html/deep/new.html": "<p>New.</p>",
    }
    course, _ = read(changes)
    assert [body(course, key) for key in ("html/old", "html/deep:new")] == ["<p>Old.</p>", "<p>New.</p>"]
    assert [item.title for _, item in course.items()] == ["Vertical", "Vertical"]


def test_the_policy_of_the_run_has_the_last_word(read):
    policy = (
        '{"course/run1": {"display_name": "Apples, revised", "language": "de", "due": null}, "chapter/c1":'
        ' {"start": "2027-01-02T03:04:05Z"}, "html/h1": {"visible_to_staff_only": true}, "html/h2": {"group_access":'
        ' {"1": [2]}}, "video/f1": 3}'
    )
    course, ledger = read({"policies/run1/policy.json": policy, "policies/run1/grading_policy.json": "{}"})
    assert (course.title, course.language) == ("Apples, revised", "de")
    assert course.root.modules[0].available_from == datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert {item.key: item.is_draft for _, item in course.items()} == {
        "html/h1": True,
        "video/f1": False,
        "html/h2": True,
    }
    assert ledger.of(Outcome.DEGRADED) == [
        Entry(
            "html/h1",
            "html item",
            Outcome.DEGRADED,
            "it was for staff only, so it is a draft that students do not see",
        ),
        Entry(
            "html/h2",
            "html item",
            Outcome.DEGRADED,
            "it was for some content groups only, so it is a draft that students do not see",
        ),
    ]
    assert entry(ledger, "policies/run1/grading_policy.json").outcome == Outcome.NOT_MAPPED


def test_what_is_hidden_hides_all_below_it(read):
    attributes = 'visible_to_staff_only="true" due="2027-01-01" start="soon"'
    course, ledger = read({"sequential/s1.xml": f'<sequential {attributes}><vertical url_name="v1"/></sequential>'})
    assert [item.is_draft for _, item in course.items()] == [True, True, True]
    assert entry(ledger, "sequential/s1").reason == (
        "its start date cannot be read; its due date is not imported; "
        "its pages are drafts, because it was for staff only"
    )


@pytest.mark.parametrize(
    ("source", "expected", "loss"),
    [
        ('<img src="/static/the_seed.png">', '<img src="static/the%20seed.png">', ""),
        ('<img src="/static/the%20seed.png">', '<img src="static/the%20seed.png">', ""),
        ('<img src="static/the seed.png?raw=1">', '<img src="static/the%20seed.png">', ""),
        (
            '<img src="/asset-v1:Orchard+APP7+run1+type@asset+block@the_seed.png">',
            '<img src="static/the%20seed.png">',
            "",
        ),
        (
            '<img src="asset-v1:Orchard+APP7+run1+type@asset+block/the_seed.png">',
            '<img src="static/the%20seed.png">',
            "",
        ),
        (
            '<img src="https://cms.example/asset-v1%3AOrchard%2BAPP7%2Brun1%2Btype%40asset%2Bblock%40the_seed.png">',
            '<img src="static/the%20seed.png">',
            "",
        ),
        (
            '<img src="/assets/courseware/v1/ab12/asset-v1:Orchard+APP7+run1+type@asset+block/the_seed.png">',
            '<img src="static/the%20seed.png">',
            "",
        ),
        ('<img src="/c4x/Orchard/APP7/asset/the_seed.png">', '<img src="static/the%20seed.png">', ""),
        ('<a href="/static/d.pdf#page=2">d</a>', '<a href="static/d.pdf#page=2">d</a>', ""),
        ('<a href="#part">d</a>', '<a href="#part">d</a>', ""),
        ('<a href="https://example.org/x">d</a>', '<a href="https://example.org/x">d</a>', ""),
        (
            '<a href="/jump_to_id/h2">a</a> <a href="/jump_to_id/h1">b</a>',
            "<a>a</a> <a>b</a>",
            "a link to another place of the platform was removed (2 times)",
        ),
        ('<img src="gone.png" alt="g">', '<img alt="g">', "a picture without a file was removed"),
        ('<img src="/static/gone.png">', "<img>", "static/gone.png is not in the export"),
        (
            '<a href="/static/x.exe">x</a>',
            "<a>x</a>",
            "static/x.exe: files of the kind .exe are not taken in",
        ),
        (
            '<img src="https://other.example/asset-v1:A+B+C+type@asset+block@a.png">',
            '<img src="https://other.example/asset-v1:A+B+C+type@asset+block@a.png">',
            "a link stands for the picture at other.example",
        ),
        (
            '<img src="data:image/png;base64,AA">',
            '<img src="data:image/png;base64,AA">',
            "a link stands for the picture at an address inside the page",
        ),
        ("<![odd[ <p>x</p>", "<![odd[ <p>x</p>", "its markup is broken, so its pictures were not looked for"),
        ("<p>x</p><script>1</script>", "<p>x</p><script>1</script>", "1 script taken out"),
    ],
)
def test_addresses_in_pages(read, source, expected, loss):
    course, ledger = read({"html/h1.html": f"<p>Words</p>{source}", "static/d.pdf": PDF, "static/x.exe": b"MZ"})
    assert body(course) == f"<p>Words</p>{expected}"
    assert entry(ledger, "html/h1") == Entry("html/h1", "html item", Outcome.DEGRADED if loss else Outcome.MAPPED, loss)


def test_what_cannot_be_read_as_an_address(read):
    course, _ = read({"html/h1.html": '<p>Words</p><a href="http://[broken">x</a><img src="http://[broken">'})
    assert body(course) == '<p>Words</p><a href="http://[broken">x</a><img src="http://[broken">'


def test_a_film_that_nobody_can_show_is_refused(read):
    course, ledger = read({"video/f1.xml": '<video start="2020-13-99" edx_video_id="x"/>'})
    assert [item.key for _, item in course.items()] == ["html/h1", "html/h2"]
    reason = "there is no film that could be shown"
    assert entry(ledger, "video/f1") == Entry("video/f1", "video item", Outcome.REFUSED, reason)


def test_a_course_without_a_description_or_files(read):
    changes: Files = {
        "about/short_description.html": "",
        "about/overview.html": "",
        "sequential/s1.xml": "<sequential/>",
    }
    course, _ = read(changes)
    assert (course.description, course.files, course.counts()) == ("", [], {"chapter": 2, "sequential": 1})


def test_a_start_that_is_no_date(read):
    course, ledger = read({"chapter/c2.xml": '<chapter start="2020-13-99T00:00:00Z"/>'})
    assert course.root.modules[1].available_from is None
    assert entry(ledger, "chapter/c2").reason == "its start date cannot be read"


def test_a_start_without_a_zone_is_in_utc(read):
    course, _ = read({"chapter/c2.xml": '<chapter start="2027-01-02T03:04:05"/>'})
    assert course.root.modules[1].available_from == datetime(2027, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_file_by_its_exact_name_comes_first(read):
    course, _ = read({"static/the_seed.png": PNG})
    assert body(course) == '<p>A hand deep.</p><img src="static/the_seed.png" alt="A seed">'


def test_a_page_with_nothing_to_read_is_a_draft(read):
    course, ledger = read({"html/h1.html": "<link href='/static/a.css'><script src='/static/a.js'></script>"})
    assert [item.is_draft for _, item in course.items()] == [True, False, False]
    reason = (
        "1 script taken out; 1 style sheet taken out; "
        "nothing is left to read, so it is a draft that students do not see"
    )
    assert entry(ledger, "html/h1") == Entry("html/h1", "html item", Outcome.DEGRADED, reason)


def test_an_element_counts_where_it_stands_first(read):
    changes: Files = {
        "chapter/c2.xml": '<chapter><sequential url_name="s1"/><html url_name="h1"/><chapter url_name="c9"/></chapter>'
    }
    course, ledger = read(changes)
    assert course.counts()["html item"] == 2
    twice = "stands in the course twice; its first place counts"
    assert ledger.of(Outcome.REFUSED) == [
        Entry("sequential/s1 in chapter/c2", "sequential", Outcome.REFUSED, twice),
        Entry("html/h1 in chapter/c2", "html", Outcome.REFUSED, twice),
    ]
    reason = "a chapter inside a chapter is not imported"
    assert entry(ledger, "chapter/c9") == Entry("chapter/c9", "chapter", Outcome.NOT_MAPPED, reason)


def test_files_that_nothing_names_are_named(read):
    _, ledger = read({"html/orphan.xml": "<html/>", "drafts/vertical/d.xml": "<vertical/>", "tabs/t.html": "x"})
    assert ledger.entries[-5:] == [
        REST[1],
        Entry("drafts/vertical/d.xml", "drafts", Outcome.NOT_MAPPED, "no imported part of the course names it"),
        Entry("html/orphan.xml", "html", Outcome.NOT_MAPPED, "no imported part of the course names it"),
        REST[2],
        Entry("tabs/t.html", "tabs", Outcome.NOT_MAPPED, "pages beside the course are not imported"),
    ]


BOMB = '<!DOCTYPE c [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><chapter display_name="&b;"/>'
EXTERNAL = '<!DOCTYPE c [<!ENTITY a SYSTEM "file:///etc/passwd">]><chapter>&a;</chapter>'
UNSAFE_XML = "declares entities or a document type, which no course export needs."


@pytest.mark.parametrize(
    ("path", "text", "refusal", "sentence"),
    [
        (
            "chapter/c1.xml",
            "<chapter>\n<sequential></chapter>",
            BrokenSource,
            "chapter/c1.xml, line 2: is not well-formed XML.",
        ),
        ("chapter/c1.xml", "", BrokenSource, "chapter/c1.xml, line 1: is not well-formed XML."),
        (
            "chapter/c1.xml",
            "<vertical/>",
            BrokenSource,
            "chapter/c1.xml, line 1: holds <vertical> where <chapter> should be.",
        ),
        ("chapter/c1.xml", BOMB, UnsafeSource, f"chapter/c1.xml: {UNSAFE_XML}"),
        ("chapter/c1.xml", EXTERNAL, UnsafeSource, f"chapter/c1.xml: {UNSAFE_XML}"),
        (
            "chapter/c1.xml",
            '<!DOCTYPE c SYSTEM "http://x.example/">\n<chapter/>',
            UnsafeSource,
            f"chapter/c1.xml: {UNSAFE_XML}",
        ),
        ("course.xml", "<library/>", BrokenSource, "course.xml, line 1: does not hold a course."),
        (
            "course.xml",
            '<course url_name="run1"/>',
            BrokenSource,
            "course.xml, line 1: the course has no number (the attribute `course`).",
        ),
        ("policies/run1/policy.json", "{\n,", BrokenSource, "policies/run1/policy.json, line 2: is not readable JSON."),
        ("policies/run1/policy.json", "[" * 100_000, BrokenSource, "policies/run1/policy.json: is not readable JSON."),
        (
            "chapter/c2.xml",
            '<chapter>\n\n<sequential url_name="gone"/></chapter>',
            MissingFile,
            "chapter/c2.xml, line 3: sequential/gone.xml is named here but is not there.",
        ),
        (
            "html/h1.xml",
            '<html\nfilename="gone"/>',
            MissingFile,
            "html/h1.xml, line 2: html/gone.html is named here but is not there.",
        ),
        (
            "html/h1.xml",
            '<html filename="../../secret"/>',
            UnsafeSource,
            "html/h1.xml: the path 'html/../../secret.html' leads out of the course.",
        ),
        (
            "chapter/c2.xml",
            '<chapter><sequential url_name="../../s"/></chapter>',
            UnsafeSource,
            "chapter/c2.xml: the path 'sequential/../../s.xml' leads out of the course.",
        ),
        (
            "html/h1.html",
            b"<p>\n\xff</p>",
            BrokenSource,
            "html/h1.html, line 2: is not UTF-8 text.",
        ),
        ("html/h1.html", "a\0b", BrokenSource, "html/h1: holds characters that are no text."),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(read, path, text, refusal, sentence):
    with pytest.raises(ImportRefused) as refused:
        read({path: text})
    assert (type(refused.value), str(refused.value)) == (refusal, sentence)


def test_a_link_in_the_export(read, tmp_path):
    write(tmp_path / "course", OLX)
    (tmp_path / "course/static/linked.png").symlink_to(tmp_path / "elsewhere.png")
    with pytest.raises(UnsafeSource) as refused:
        read()
    assert str(refused.value) == "static/linked.png: is a link; links are not followed."


def test_elements_nested_without_end(read):
    deep = "<b>" * 20_000 + "</b>" * 20_000
    with pytest.raises(UnsafeSource) as refused:
        read({"vertical/v1.xml": f'<vertical><html url_name="h1" x="1">{deep}</html></vertical>'})
    assert str(refused.value) == "vertical/v1.xml: its elements are nested too deeply."
