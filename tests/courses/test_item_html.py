"""The parts of each content type as the templates want them."""

from lms.courses.item_html import SHOWN_TYPES, item_content
from lms.courses.schema_files import content_type_files

PREFIX = "/north/media/12/"


def shown(content_type: str, data: dict) -> dict:
    return item_content(content_type, data, media_prefix=PREFIX)


def test_every_type_that_ships_has_its_parts() -> None:
    assert {row.slug for row in content_type_files()} == SHOWN_TYPES


def test_a_text_is_markdown_or_html() -> None:
    assert shown("text", {"format": "markdown", "body": "*a* <b>b</b>"}) == {
        "html": "<p><em>a</em> &lt;b&gt;b&lt;/b&gt;</p>\n"
    }
    assert shown("text", {"format": "html", "body": '<p onclick="x">a <script>b</script></p>'}) == {"html": "<p>a </p>"}


def test_a_video_of_the_course() -> None:
    data = {
        "provider": "file",
        "file": "films/wave one.mp4",
        "youtube_id": "ignored",
        "poster": "films/wave.png",
        "captions": [{"language": "en", "label": "English", "file": "films/wave.vtt"}],
        "transcript": "A <wave>.",
        "description": "*Waves*",
    }
    assert shown("video", data) == {
        "youtube_id": "",
        "file_url": "/north/media/12/films/wave%20one.mp4",
        "poster_url": "/north/media/12/films/wave.png",
        "captions": [{"language": "en", "label": "English", "url": "/north/media/12/films/wave.vtt"}],
        "transcript": "A <wave>.",
        "description_html": "<p><em>Waves</em></p>\n",
    }


def test_a_video_elsewhere() -> None:
    assert shown("video", {"provider": "youtube", "youtube_id": "abcdefghijk", "file": "ignored.mp4"}) == {
        "youtube_id": "abcdefghijk",
        "file_url": "",
        "poster_url": "",
        "captions": [],
        "transcript": "",
        "description_html": "",
    }


def test_options_stand_inside_a_line() -> None:
    options = [{"id": "a", "text": "Some *words*"}, {"id": "b", "text": "one\n\ntwo"}]
    question = {"id": "q1", "kind": "single", "prompt": "Which?", "options": options, "points": 3}
    assert shown("quiz", {"introduction": "", "questions": [question]}) == {
        "introduction_html": "",
        "questions": [
            {
                "id": "q1",
                "kind": "single",
                "points": 3,
                "prompt_html": "<p>Which?</p>\n",
                "options": [
                    {"id": "a", "text": "Some <em>words</em>"},
                    {"id": "b", "text": "<p>one</p>\n<p>two</p>"},
                ],
                "targets": [],
            }
        ],
    }


def test_targets_of_matching_are_plain() -> None:
    options = [{"id": "a", "text": "*a*"}, {"id": "b", "text": "b"}]
    question = {"id": "q1", "kind": "matching", "prompt": "Which?", "options": options, "points": 1}
    (without,) = shown("quiz", {"introduction": "", "questions": [question]})["questions"]
    assert without["targets"] == [{"id": "a", "text": "a"}, {"id": "b", "text": "b"}]
    apart = {**question, "targets": [{"id": "x", "text": "**x**"}]}
    (named,) = shown("quiz", {"introduction": "", "questions": [apart]})["questions"]
    assert named["targets"] == [{"id": "x", "text": "x"}]


def test_a_lab() -> None:
    data = {
        "introduction": "",
        "steps": [{"title": "First <b>", "body": "Do *this*."}],
        "language": "python",
        "starter_code": "print('```')\n",
    }
    content = shown("engineering_lab", data)
    assert content.pop("starter_html").startswith('<pre tabindex="0"><code class="highlight">')
    assert content == {
        "introduction_html": "",
        "steps": [{"title": "First <b>", "body_html": "<p>Do <em>this</em>.</p>\n"}],
        "language": "python",
    }


def test_code_cannot_leave_its_listing() -> None:
    data = {"introduction": "", "steps": [], "language": "", "starter_code": "````\n# Heading\n````"}
    html = shown("engineering_lab", data)["starter_html"]
    assert html == '<pre tabindex="0"><code class="highlight">````\n# Heading\n````\n</code></pre>\n'
    assert shown("engineering_lab", {**data, "starter_code": " \n"})["starter_html"] == ""


def test_an_assignment() -> None:
    data = {"instructions": "Write.", "submission": "file", "points": 10}
    assert shown("assignment", data) == {"instructions_html": "<p>Write.</p>\n", "submission": "file", "points": 10}


def test_a_resource_elsewhere_and_here() -> None:
    assert shown("resource", {"description": "", "url": "https://example.org/a"}) == {
        "description_html": "",
        "url": "https://example.org/a",
        "host": "example.org",
        "file_url": "",
        "file_name": "",
    }
    here = shown("resource", {"description": "", "file": "data/table 1.csv"})
    assert (here["file_url"], here["file_name"], here["url"]) == (
        "/north/media/12/data/table%201.csv",
        "table 1.csv",
        "",
    )


def test_an_address_that_hides_where_it_leads_is_not_shown() -> None:
    for url in ("https://bank.example@evil.example/", "javascript:alert(1)", "https://["):
        content = shown("resource", {"description": "", "url": url})
        assert (content["url"], content["host"]) == ("", "")


def test_an_unknown_type_shows_nothing() -> None:
    assert shown("poem", {"lines": []}) == {"html": ""}
