import pytest

from lms.courses.importing.errors import BrokenSource
from lms.courses.importing.folder import SourceFolder
from lms.courses.importing.front_matter import read_document
from lms.courses.importing.ledger import Ledger
from lms.courses.importing.markdown_page import Page
from lms.courses.importing.markdown_quiz import read_questions
from lms.courses.importing.media import Shelf
from tests.courses.importing.samples import PNG, write

OPTIONS = "[{id: a, text: A}, {id: b, text: B}, {id: c, text: C}]"


@pytest.fixture
def read(tmp_path):
    def read(question: str) -> tuple[dict, dict]:
        write(
            tmp_path, {"quiz.md": f"---\nquestions:\n  - {{id: q, prompt: P, {question}}}\n---\n", "images/i.png": PNG}
        )
        folder = SourceFolder(tmp_path)
        document = read_document(folder, "quiz.md")
        questions, key = read_questions(Page(folder, Shelf(folder, Ledger()), document.fields, ""))
        return questions[0], key["q"]

    return read


@pytest.mark.parametrize(
    ("question", "correct"),
    [
        ("kind: single, options: [{text: A}, {text: B, correct: yes}]", ["b"]),
        ("kind: multiple, options: [{text: A, correct: true}, {text: B}, {text: C, correct: true}]", ["a", "c"]),
        ("kind: short_text, answer: [Newton, N]", ["Newton", "N"]),
        ("kind: short_text, answer: No", ["No"]),
        (f"kind: ordering, answer: [b, a, c], options: {OPTIONS}", ["b", "a", "c"]),
        (f"kind: matching, answer: [[a, b], [c, b]], options: {OPTIONS}", [["a", "b"], ["c", "b"]]),
    ],
)
def test_answers_by_kind(read, question, correct):
    _, answer = read(question)
    assert answer == {"correct": correct, "explanation": ""}


def test_numbers_have_a_tolerance(read):
    assert read("kind: numeric, answer: 9.81, tolerance: 0.02")[1] == {
        "correct": [9.81],
        "tolerance": 0.02,
        "explanation": "",
    }
    assert read("kind: numeric, answer: 3")[1] == {"correct": [3], "tolerance": 0, "explanation": ""}


def test_an_order_is_never_shown_as_the_answer(read):
    question, answer = read(f"kind: ordering, answer: [a, b, c], options: {OPTIONS}")
    assert answer["correct"] == ["a", "b", "c"]
    assert sorted(option["id"] for option in question["options"]) == ["a", "b", "c"]
    assert [option["id"] for option in question["options"]] != ["a", "b", "c"]


def test_pictures_in_questions_options_and_explanations(read):
    question, answer = read(
        "kind: single, explanation: '![e](images/i.png)', options: [{text: '![o](images/i.png)', correct: true}]"
    )
    assert question["options"] == [{"id": "a", "text": "![o](images/i.png)"}]
    assert answer["explanation"] == "![e](images/i.png)"


@pytest.mark.parametrize(
    ("question", "problem"),
    [
        ("kind: essay", "kind: 'essay' is not one of single, multiple, numeric, short_text, ordering, matching."),
        ("kind: single", "options: the kind single needs some."),
        (f"kind: numeric, options: {OPTIONS}", "options: the kind numeric has none."),
        (f"kind: single, options: {OPTIONS}", "options: exactly one option needs `correct: true`."),
        (f"kind: multiple, options: {OPTIONS}", "options: at least one option needs `correct: true`."),
        ("kind: single, options: [{id: a, text: A}, {id: a, text: B}]", "id: 'a' stands twice in this question."),
        ("kind: single, options: [{text: A, corect: true}]", "corect: is not known here."),
        ("kind: numeric, answer: six", "answer: 'six' is not a number."),
        ("kind: numeric, answer: 6, tolerance: -1", "tolerance: cannot be below zero."),
        ("kind: short_text", "answer: is missing."),
        (
            f"kind: ordering, answer: [a, b], options: {OPTIONS}",
            "answer: must name the id of each option once, in the right order.",
        ),
        (
            "kind: ordering, answer: [a], options: [{text: A, correct: true}]",
            "options: for the kind ordering the right answer stands in `answer`.",
        ),
        (f"kind: matching, options: {OPTIONS}", "answer: must be a list of pairs of option ids."),
        (f"kind: matching, answer: [[a]], options: {OPTIONS}", "answer: must be a list of pairs of option ids."),
        (f"kind: matching, answer: [[a, z]], options: {OPTIONS}", "answer: must be a list of pairs of option ids."),
        ("kind: short_text, answer: x, tolerance: 1", "tolerance: is not known here."),
    ],
)
def test_questions_that_make_no_sense(read, question, problem):
    with pytest.raises(BrokenSource) as refusal:
        read(question)
    assert str(refusal.value) == f"quiz.md, line 3: {problem}"


def test_a_quiz_has_questions_and_their_ids_differ(tmp_path):
    def read(text: str) -> None:
        write(tmp_path, {"quiz.md": text})
        folder = SourceFolder(tmp_path)
        read_questions(Page(folder, Shelf(folder, Ledger()), read_document(folder, "quiz.md").fields, ""))

    with pytest.raises(BrokenSource) as empty:
        read("---\ntitle: T\n---\n")
    assert str(empty.value) == "quiz.md, line 2: questions: a quiz needs at least one question."
    row = "  - {id: q, kind: short_text, prompt: P, answer: x}\n"
    with pytest.raises(BrokenSource) as twice:
        read(f"---\nquestions:\n{row}{row}---\n")
    assert str(twice.value) == "quiz.md, line 4: id: 'q' stands twice in this quiz."
