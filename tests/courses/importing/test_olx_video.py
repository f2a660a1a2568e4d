import json

import pytest
from defusedxml.ElementTree import fromstring

from lms.courses.importing.folder import SourceFolder
from lms.courses.importing.ledger import Ledger
from lms.courses.importing.media import Shelf
from lms.courses.importing.olx_static import Statics
from lms.courses.importing.olx_video import Video, read_video
from tests.courses.importing.samples import MP4, PDF, SRT, write

SAID = "Forces add up. Always & everywhere."
OLD_CAPTIONS = json.dumps({"start": [0], "end": [1], "text": ["Old words."]})


@pytest.fixture
def read(tmp_path):
    files = {
        "static/en.srt": SRT,
        "static/de.srt": SRT.replace("Forces", "Kräfte"),
        "static/broken.srt": "nothing",
        "static/subs_OLD.srt.sjson": OLD_CAPTIONS,
        "static/film one.mp4": MP4,
        "static/notes.pdf": PDF,
    }
    folder = SourceFolder(write(tmp_path, files))

    def read(xml: str, language: str = "en") -> Video:
        return read_video(fromstring(xml), Statics(folder, Shelf(folder, Ledger()), "O+C+R"), language)

    return read


def video(**data) -> dict:
    return {"captions": [], "transcript": "", "description": ""} | data


YOUTUBE = {"provider": "youtube", "youtube_id": "abcdefghijk"}


@pytest.mark.parametrize(
    ("xml", "data"),
    [
        ('<video youtube_id_1_0="abcdefghijk"/>', video(**YOUTUBE)),
        ('<video youtube="0.75:xxxxxxxx,1.00:abcdefghijk"/>', video(**YOUTUBE)),
        (
            """<video youtube_id_1_0="abcdefghijk" html5_sources='["/static/film_one.mp4"]'/>""",
            video(provider="file", file="static/film one.mp4"),
        ),
        (
            '<video><source src="https://x.example/a.webm"/><source src="/static/film%20one.mp4"/></video>',
            video(provider="file", file="static/film one.mp4"),
        ),
        (
            '<video youtube_id_1_0="abcdefghijk" handout="/asset-v1:O+C+R+type@asset+block@notes.pdf"/>',
            video(**YOUTUBE, description="[Handout](static/notes.pdf)"),
        ),
        (
            '<video youtube_id_1_0="abcdefghijk" sub="OLD"/>',
            video(
                **YOUTUBE,
                captions=[{"language": "en", "label": "English", "file": "static/subs_OLD.vtt"}],
                transcript="Old words.",
            ),
        ),
        (
            """<video youtube_id_1_0="abcdefghijk" transcripts='{"xx_YY": "en.srt", "not a tag": "de.srt"}'/>""",
            video(
                **YOUTUBE,
                captions=[{"language": "xx-YY", "label": "xx-YY", "file": "static/en.vtt"}],
                transcript=SAID,
            ),
        ),
    ],
)
def test_where_the_film_is(read, xml, data):
    assert read(xml) == Video("video", data, [])


def test_captions_and_the_transcript_in_the_language_of_the_course(read):
    xml = (
        """<video youtube_id_1_0="abcdefghijk" transcripts='{"en": "en.srt"}'>"""
        '<transcript language="de" src="de.srt"/></video>'
    )
    captions = [
        {"language": "de", "label": "Deutsch", "file": "static/de.vtt"},
        {"language": "en", "label": "English", "file": "static/en.vtt"},
    ]
    assert read(xml).data == video(**YOUTUBE, captions=captions, transcript=SAID)
    assert read(xml, "de").data["transcript"] == SAID.replace("Forces", "Kräfte")


@pytest.mark.parametrize(
    ("attributes", "losses"),
    [
        ('start_time="00:00:10"', ["the whole film is shown, not only the part from 00:00:10 to the end"]),
        ('start_time="00:00:00" end_time="00:00:00"', []),
        ("""transcripts='{"en": "gone.srt"}'""", ["the captions gone.srt are not in the export"]),
        ("""transcripts='{"en": "broken.srt"}'""", ["static/broken.srt: it holds no captions"]),
        ("transcripts='[' html5_sources='{}'", []),
        ('handout="/static/gone.pdf"', ["static/gone.pdf is not in the export"]),
    ],
)
def test_what_is_lost(read, attributes, losses):
    assert read(f'<video youtube_id_1_0="abcdefghijk" {attributes}/>') == Video("video", video(**YOUTUBE), losses)


def test_a_film_elsewhere_is_a_link_with_its_words(read):
    found = read("""<video html5_sources='["https://x.example/a.mp4"]' transcripts='{"en": "en.srt"}'/>""")
    assert found == Video(
        "resource",
        {"url": "https://x.example/a.mp4", "description": SAID},
        ["the film is elsewhere on the web, so it is a link"],
    )


@pytest.mark.parametrize(
    ("xml", "losses"),
    [
        ("<video/>", ["there is no film that could be shown"]),
        ('<video youtube_id_1_0="a b"/>', ["there is no film that could be shown"]),
        (
            '<video source="/static/gone.mp4"/>',
            ["static/gone.mp4 is not in the export", "there is no film that could be shown"],
        ),
        ('<video source="http://x.example/a.mp4"/>', ["there is no film that could be shown"]),
    ],
)
def test_no_film_at_all(read, xml, losses):
    assert read(xml) == Video("", {}, losses)
