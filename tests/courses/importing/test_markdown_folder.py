import pytest

from lms.courses.importing.errors import BrokenSource, ImportRefused, MissingFile, UnsafeSource
from lms.courses.importing.ledger import Entry, Ledger, Outcome
from lms.courses.importing.markdown_folder import name_without_number
from lms.courses.importing.reading import read_source
from lms.courses.importing.source import SourceCourse, SourceItem
from tests.courses.importing.samples import MARKDOWN, PNG, Files, write

LESSON = "01-levers/02-balance"
READING = f"{LESSON}/01-reading.md"


@pytest.fixture
def read(tmp_path):
    def read(changes: Files | None = None) -> tuple[SourceCourse, Ledger]:
        return read_source(write(tmp_path / "course", MARKDOWN | (changes or {})))

    return read


def page(type_: str, fields: str, body: str = "") -> str:
    return f"---\ntitle: A page\ntype: {type_}\n{fields}\n---\n{body}\n"


def only_item(course: SourceCourse, key: str = "levers/balance/extra") -> SourceItem:
    return next(item for _, item in course.items() if item.key == key)


def test_the_course_and_its_tree_in_the_order_of_the_numbers(read):
    course, _ = read()
    assert (course.key, course.code, course.title, course.slug) == (
        "markdown:forces",
        "PHYS101",
        "Forces at rest",
        "forces",
    )
    assert (course.level, course.language, course.subject) == ("intermediate", "en", "")
    assert course.description == "Why bridges *stand*."
    assert course.objectives == ["Draw the forces on a body"]
    assert [(module.key, module.type, module.title) for module in course.root.walk()] == [
        ("course", "course_root", "Forces at rest"),
        ("levers", "unit", "Levers"),
        ("levers/start", "topic", "Start here"),
        ("levers/balance", "lesson", "Balance"),
    ]
    assert [(module.key, item.key, item.kind) for module, item in course.items()] == [
        ("levers/balance", "levers/balance/reading", "text item"),
        ("levers/balance", "levers/balance/film", "video item"),
        ("levers/balance", "levers/balance/check", "quiz item"),
    ]
    assert course.counts() == {
        "unit": 1,
        "topic": 1,
        "lesson": 1,
        "text item": 1,
        "video item": 1,
        "quiz item": 1,
        "file": 3,
    }


def test_text_with_its_pictures_as_paths_from_the_root(read):
    course, _ = read()
    item = only_item(course, "levers/balance/reading")
    assert item.data == {
        "format": "markdown",
        "body": f"The torques are equal.\n\n![A lever]({LESSON}/images/lever%20arm.png)",
    }
    assert item.objectives == ["State the law of the lever"]
    assert (item.prompt_name, item.prompt_label, item.answers, item.is_draft) == ("", "", None, False)
    assert [(file.path, file.media_type) for file in course.files] == [
        (f"{LESSON}/images/lever arm.png", "image/png"),
        ("media/crane.webm", "video/webm"),
        ("media/crane.vtt", "text/vtt"),
    ]


def test_video_with_captions_and_what_is_said(read):
    course, _ = read()
    assert only_item(course, "levers/balance/film").data == {
        "provider": "file",
        "file": "media/crane.webm",
        "poster": f"{LESSON}/images/lever arm.png",
        "captions": [{"language": "en", "label": "English", "file": "media/crane.vtt"}],
        "transcript": "Forces add up. Always & everywhere.",
        "description": "Watch the hook.",
    }


def test_quiz_without_a_trace_of_its_answers(read):
    course, _ = read()
    item = only_item(course, "levers/balance/check")
    assert item.data == {
        "introduction": "Two questions.",
        "questions": [
            {
                "id": "arm",
                "kind": "single",
                "prompt": "Which arm is longer?",
                "options": [{"id": "a", "text": "The lighter side's"}, {"id": "b", "text": "No"}],
                "points": 2,
            },
            {"id": "torque", "kind": "numeric", "prompt": "3 N at 2 m?", "options": [], "points": 1},
        ],
    }
    assert item.answers == {
        "arm": {"correct": ["a"], "explanation": "Less force, longer arm."},
        "torque": {"correct": [6], "tolerance": 0.5, "explanation": ""},
    }


def test_the_ledger_names_everything(read):
    changes = {"README.md": "hello", "media/notes.md": "hello", "media/spare.png": PNG, f"{LESSON}/.draft.md": "x"}
    _, ledger = read(changes)
    assert ledger.entries == [
        Entry("course.md", "course", Outcome.MAPPED),
        Entry("01-levers/module.md", "unit", Outcome.MAPPED),
        Entry("01-levers/01-start/module.md", "topic", Outcome.MAPPED),
        Entry(f"{LESSON}/module.md", "lesson", Outcome.MAPPED),
        Entry(f"{LESSON}/images/lever arm.png", "file", Outcome.MAPPED),
        Entry(READING, "text item", Outcome.MAPPED),
        Entry("media/crane.webm", "file", Outcome.MAPPED),
        Entry("media/crane.srt", "file", Outcome.MAPPED),
        Entry(f"{LESSON}/02-film.md", "video item", Outcome.MAPPED),
        Entry(f"{LESSON}/10-check.md", "quiz item", Outcome.MAPPED),
        Entry("README.md", "page", Outcome.NOT_MAPPED, "its folder is not a module"),
        Entry("media/notes.md", "page", Outcome.NOT_MAPPED, "its folder is not a module"),
        Entry("media/spare.png", "file", Outcome.NOT_MAPPED, "no page uses it"),
    ]


@pytest.mark.parametrize(
    ("text", "data"),
    [
        (
            page("video", "youtube: abcdefghijk\ntranscript: Said here."),
            {
                "provider": "youtube",
                "youtube_id": "abcdefghijk",
                "captions": [],
                "transcript": "Said here.",
                "description": "",
            },
        ),
        (
            page("video", "youtube: abcdefghijk\ntranscript: said.txt"),
            {
                "provider": "youtube",
                "youtube_id": "abcdefghijk",
                "captions": [],
                "transcript": "Said in a file.",
                "description": "",
            },
        ),
        (
            page(
                "engineering_lab",
                "language: python\nsteps:\n  - {title: One, body: Do *it*.}\n"
                "starter_code: |\n  def f():\n      return 1",
                "Build it.",
            ),
            {
                "introduction": "Build it.",
                "steps": [{"title": "One", "body": "Do *it*."}],
                "language": "python",
                "starter_code": "def f():\n    return 1\n",
            },
        ),
        (
            page("assignment", "submission: text\npoints: 20", "Write."),
            {"instructions": "Write.", "submission": "text", "points": 20},
        ),
        (page("assignment", "", "Write."), {"instructions": "Write.", "submission": "either", "points": 10}),
        (page("resource", "url: https://example.org"), {"description": "", "url": "https://example.org"}),
        (page("resource", "file: said.txt", "Keep."), {"description": "Keep.", "file": f"{LESSON}/said.txt"}),
    ],
)
def test_the_other_types(read, text, data):
    course, _ = read({f"{LESSON}/11-extra.md": text, f"{LESSON}/said.txt": "Said in a file.\n"})
    assert only_item(course).data == data


def test_an_id_is_the_key_and_prompts_are_named(read):
    course, _ = read({f"{LESSON}/11-extra.md": page("text", "id: stable\nprompt: tutor/strict\nprompt_label: trial")})
    item = only_item(course, "stable")
    assert (item.prompt_name, item.prompt_label) == ("tutor/strict", "trial")


@pytest.mark.parametrize(
    ("body", "kept", "loss"),
    [
        (
            "![far](https://example.org/a.png)",
            "![far](https://example.org/a.png)",
            "a link stands for the picture at example.org",
        ),
        (
            "See [the film](02-film.md).",
            "See the film.",
            "the link to 02-film.md leads to another page, only its words are kept",
        ),
        ("[run](../../tool.exe)", "run", "../../tool.exe: files of the kind .exe are not taken in"),
        ("![far](http://[broken)", "![far](http://[broken)", "a link stands for the picture at http://[broken"),
        ("[d](/help/)", "d", "the link to /help/ leads out of the course, only its words are kept"),
        ("[a](#b) [c](https://example.org)", "[a](#b) [c](https://example.org)", ""),
    ],
)
def test_what_a_page_loses_is_in_the_ledger(read, body, kept, loss):
    path = f"{LESSON}/11-extra.md"
    course, ledger = read({path: page("text", "", body), "tool.exe": b"MZ"})
    assert only_item(course).data["body"] == kept
    outcome = Outcome.DEGRADED if loss else Outcome.MAPPED
    assert next(entry for entry in ledger.entries if entry.source == path) == Entry(path, "text item", outcome, loss)


def test_text_in_a_module_file_is_a_loss(read):
    _, ledger = read({"01-levers/module.md": "---\ntitle: Levers\ntype: unit\n---\nText\n"})
    reason = "the text below the front matter is not shown: put it into a page"
    assert ledger.of(Outcome.DEGRADED) == [Entry("01-levers/module.md", "unit", Outcome.DEGRADED, reason)]


@pytest.mark.parametrize(
    ("path", "text", "refusal", "sentence"),
    [
        ("course.md", "---\ntitle: T\n---\n", BrokenSource, "course.md, line 2: code: is missing."),
        (
            "course.md",
            "---\ntitle: T\ncode: C\nlevel: hard\n---\n",
            BrokenSource,
            "course.md, line 4: level: 'hard' is not one of introductory, intermediate, advanced.",
        ),
        (
            READING,
            page("poem", ""),
            BrokenSource,
            f"{READING}, line 3: type: 'poem' is not one of text, video, quiz, engineering_lab, assignment, resource.",
        ),
        (READING, page("text", "titel: x"), BrokenSource, f"{READING}, line 4: titel: is not known here."),
        (
            READING,
            page("text", "", "x\n\n![gone](images/gone.png)"),
            MissingFile,
            f"{READING}, line 8: {LESSON}/images/gone.png is named here but is not there.",
        ),
        (
            READING,
            page("text", "", "![out](../../../../etc/passwd.png)"),
            UnsafeSource,
            f"{READING}: the path '../../../../etc/passwd.png' leads out of the course.",
        ),
        (
            READING,
            page("text", "", "![out](%2e%2e/../../../x.png)"),
            UnsafeSource,
            f"{READING}: the path '../../../../x.png' leads out of the course.",
        ),
        (
            READING,
            page("text", "", "![out](/etc/x.png)"),
            UnsafeSource,
            f"{READING}: the path '/etc/x.png' is not relative to the file that names it.",
        ),
        (
            READING,
            page("video", "youtube: abcdefghijk\nfile: a.webm"),
            BrokenSource,
            f"{READING}, line 5: file: a video has either a file or a youtube id.",
        ),
        (
            READING,
            page("video", "file: ../../media/crane.srt\nposter: ../../course.md"),
            BrokenSource,
            f"{READING}, line 5: poster: course.md: files of the kind .md are not taken in.",
        ),
        (
            READING,
            page("video", "youtube: a b"),
            BrokenSource,
            f"{READING}: data.youtube_id: “a b” does not have the form ^[A-Za-z0-9_-]{{6,20}}$(?!\\n)",
        ),
        (
            READING,
            page("video", "youtube: abcdefghijk\ncaptions:\n  - {language: en, file: ../../course.md}"),
            BrokenSource,
            f"{READING}, line 6: file: course.md: it holds no captions.",
        ),
        (
            READING,
            page("resource", ""),
            BrokenSource,
            f"{READING}, line 2: url: a resource has either a url or a file.",
        ),
        (
            READING,
            page("assignment", ""),
            BrokenSource,
            f"{READING}: the assignment's text is missing below the front matter.",
        ),
        (
            READING,
            page("text", "prompt: a||b"),
            BrokenSource,
            f"{READING}: prompt: 'a||b' is not the name of a prompt.",
        ),
        (
            READING,
            page("text", "prompt_label: A b"),
            BrokenSource,
            f"{READING}: prompt_label: 'A b' is not a label.",
        ),
        (
            READING,
            page("text", 'objectives: ["a\\0b"]'),
            BrokenSource,
            f"{READING}: holds characters that are no text.",
        ),
        (READING, page("text", f"id: {'x' * 256}"), BrokenSource, f"{READING}: its key must have 1 to 255 characters."),
        (
            f"{LESSON}/03-reading.md",
            page("text", ""),
            BrokenSource,
            f"{LESSON}/03-reading.md: is called 'levers/balance/reading', as {READING} is; "
            "numbers in front of names do not count.",
        ),
        (
            "02-loose/inner/module.md",
            "---\ntitle: T\ntype: unit\n---\n",
            BrokenSource,
            "02-loose: has no module.md, but 02-loose/inner/module.md stands below it.",
        ),
    ],
)
def test_what_is_wrong_is_told_with_file_and_line(read, path, text, refusal, sentence):
    with pytest.raises(ImportRefused) as refused:
        read({path: text})
    assert (type(refused.value), str(refused.value)) == (refusal, sentence)


@pytest.mark.parametrize(
    ("name", "without"),
    [
        ("01-intro", "intro"),
        ("2. intro", "intro"),
        ("10_intro.md", "intro.md"),
        ("101", "101"),
        ("3d-print", "3d-print"),
    ],
)
def test_names_without_their_numbers(name, without):
    assert name_without_number(name) == without
