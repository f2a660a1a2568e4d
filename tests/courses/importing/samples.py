"""Small courses of both formats, made up for these tests."""

from pathlib import Path

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 16
JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 16
GIF = b"GIF89a" + b"\0" * 16
WEBP = b"RIFF\0\0\0\0WEBPVP8 "
WEBM = b"\x1a\x45\xdf\xa3" + b"\0" * 16
MP4 = b"\0\0\0\x18ftypisom" + b"\0" * 8
PDF = b"%PDF-1.7\n"
SVG = '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"><path d="M0 0h1v1z"/></svg>'
SRT = (
    "1\n00:00:01,000 --> 00:00:02,500\nForces add up.\n\n"
    "2\n00:00:03,000 --> 00:00:04,000\n<i>Always</i> & everywhere.\n"
)
SRT_AS_VTT = (
    "WEBVTT\n\n00:00:01.000 --> 00:00:02.500\nForces add up.\n\n"
    "00:00:03.000 --> 00:00:04.000\n<i>Always</i> &amp; everywhere.\n"
)

Files = dict[str, str | bytes]

MARKDOWN: Files = {
    "course.md": (
        "---\ntitle: Forces at rest\ncode: PHYS101\nslug: forces\nlevel: intermediate\n"
        "objectives:\n  - Draw the forces on a body\n---\nWhy bridges *stand*.\n"
    ),
    "01-levers/module.md": "---\ntitle: Levers\ntype: unit\n---\n",
    "01-levers/02-balance/module.md": "---\ntitle: Balance\ntype: lesson\n---\n",
    "01-levers/02-balance/01-reading.md": (
        "---\ntitle: Why it balances\ntype: text\nobjectives: [State the law of the lever]\n---\n"
        "The torques are equal.\n\n![A lever](images/lever%20arm.png)\n"
    ),
    "01-levers/02-balance/images/lever arm.png": PNG,
    "01-levers/02-balance/02-film.md": (
        "---\ntitle: A crane at work\ntype: video\nfile: ../../media/crane.webm\nposter: images/lever arm.png\n"
        "captions:\n  - {language: en, label: English, file: ../../media/crane.srt}\n---\nWatch the hook.\n"
    ),
    "media/crane.webm": WEBM,
    "media/crane.srt": SRT,
    "01-levers/02-balance/10-check.md": (
        "---\ntitle: Check yourself\ntype: quiz\nquestions:\n"
        "  - id: arm\n    kind: single\n    prompt: Which arm is longer?\n    points: 2\n"
        "    explanation: Less force, longer arm.\n"
        "    options:\n      - {id: a, text: The lighter side's, correct: true}\n      - {id: b, text: No}\n"
        "  - id: torque\n    kind: numeric\n    prompt: 3 N at 2 m?\n    answer: 6\n    tolerance: 0.5\n"
        "---\nTwo questions.\n"
    ),
    "01-levers/01-start/module.md": "---\ntitle: Start here\ntype: topic\n---\n",
}

OLX: Files = {
    "course.xml": '<course url_name="run1" org="Orchard" course="APP7"/>',
    "course/run1.xml": (
        '<course display_name="Apples" language="en" start="2020-01-01T00:00:00Z">'
        '<chapter url_name="c1"/><chapter url_name="c2"/><wiki slug="x"/></course>'
    ),
    "chapter/c1.xml": '<chapter display_name="Seeds"><sequential url_name="s1"/></chapter>',
    "chapter/c2.xml": '<chapter display_name="Trees"/>',
    "sequential/s1.xml": '<sequential display_name="Sowing"><vertical url_name="v1"/></sequential>',
    "vertical/v1.xml": (
        '<vertical display_name="Into the ground"><html url_name="h1"/><problem url_name="p1"/>'
        '<video url_name="f1"/><html url_name="h2" display_name="Inline"><p>Water <b>it</b>.</p> Wait.</html>'
        "</vertical>"
    ),
    "html/h1.xml": '<html filename="h1" display_name="How deep?"/>',
    "html/h1.html": '<p>A hand deep.</p><img src="/static/the_seed.png" alt="A seed">',
    "problem/p1.xml": "<problem/>",
    "video/f1.xml": (
        '<video display_name="A spring" youtube="0.75:slowslowslo,1.00:abcdefghijk" '
        'transcripts="{&quot;en&quot;: &quot;spring-en.srt&quot;}"/>'
    ),
    "static/the seed.png": PNG,
    "static/spring-en.srt": SRT,
    "static/unused.png": PNG,
    "about/short_description.html": "From seed to tree.",
}


def write(root: Path, files: Files) -> Path:
    """The files below `root`; returns it."""
    for name, content in files.items():
        place = root / name
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_bytes(content.encode() if isinstance(content, str) else content)
    return root
