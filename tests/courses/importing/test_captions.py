import json

import pytest

from lms.courses.importing.captions import BadCaptions, convert_to_vtt, spoken_text
from tests.courses.importing.samples import SRT, SRT_AS_VTT


def test_subrip_becomes_webvtt():
    assert convert_to_vtt(SRT, "film.srt") == SRT_AS_VTT


def test_webvtt_stays_as_it_is():
    text = "WEBVTT\n\nSTYLE\n::cue { color: red }\n\n1\n00:01.000 --> 00:02.000 align:start\nHi\n"
    assert convert_to_vtt(text, "film.vtt") == text
    assert spoken_text(text, "film.vtt") == "Hi"


def test_subrip_as_players_accept_it():
    """No numbers, dots for commas, no hours, windows line ends, fonts, several lines, an arrow in the words."""
    text = (
        "00:01.5 --> 00:02.25\r\n<font color=red>Red</font>\r\n a --> b \r\n\r\n\r\n"
        "7\r\n1:00:00,000 --> 1:00:01,000\r\nLast\r\n"
    )
    assert convert_to_vtt(text, "film.srt") == (
        "WEBVTT\n\n00:00:01.500 --> 00:00:02.250\nRed\na --&gt; b\n\n01:00:00.000 --> 01:00:01.000\nLast\n"
    )


def test_the_older_json_captions():
    text = json.dumps({"start": [0, 1500], "end": [1500, 2000], "text": ["It&#39;s", "2 < 3"]})
    assert convert_to_vtt(text, "subs_x.srt.sjson") == (
        "WEBVTT\n\n00:00:00.000 --> 00:00:01.500\nIt's\n\n00:00:01.500 --> 00:00:02.000\n2 &lt; 3\n"
    )
    assert spoken_text(text, "subs_x.srt.sjson") == "It's 2 < 3"


def test_what_is_said_has_no_times_and_no_marks():
    assert spoken_text(SRT, "film.srt") == "Forces add up. Always & everywhere."


@pytest.mark.parametrize(
    ("text", "path", "problem"),
    [
        ("only words", "film.srt", "it holds no captions"),
        ("", "film.srt", "it holds no captions"),
        ("{", "film.sjson", "it is not a list of captions"),
        ("[1]", "film.sjson", "it is not a list of captions"),
        ('{"start": [1], "end": [2], "text": []}', "film.sjson", "it is not a list of captions"),
        ('{"start": ["x"], "end": [2], "text": ["a"]}', "film.sjson", "it is not a list of captions"),
    ],
)
def test_what_is_no_captions(text, path, problem):
    with pytest.raises(BadCaptions) as refusal:
        convert_to_vtt(text, path)
    assert str(refusal.value) == problem
