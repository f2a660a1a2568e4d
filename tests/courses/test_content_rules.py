"""What data and answer keys are refused, and in which words."""

import json
from pathlib import Path

import jsonschema
import pytest

from lms.courses.content_rules import check_answer_key, check_data
from lms.courses.errors import InvalidContent
from lms.courses.schema_files import content_type_files

SCHEMAS = {row.slug: row.schema for row in content_type_files()}


def quiz(*questions: dict) -> dict:
    return {"introduction": "", "questions": list(questions)}


def question(kind: str, *ids: str, id: str = "q1") -> dict:
    options = [{"id": one, "text": one} for one in ids]
    return {"id": id, "kind": kind, "prompt": "What?", "options": options, "points": 1}


@pytest.mark.parametrize(
    ("slug", "data", "sentence"),
    [
        ("text", {"format": "markdown"}, "data: “body” is missing. Needed: format, body."),
        ("text", {"format": "rtf", "body": ""}, "data.format: “rtf” is not allowed. Allowed: markdown, html."),
        ("text", {"format": "html", "body": 3}, "data.body: this must be of type string."),
        (
            "text",
            {"format": "html", "body": "", "answer": "42"},
            "data: “answer” is not known here. Allowed: format, body.",
        ),
        ("text", [], "data: this must be of type object."),
        ("text", {"format": "html", "body": "a\0b"}, "data.body: the text holds characters that cannot be stored."),
        ("text", {"format": "html", "body": "\ud800"}, "data.body: the text holds characters that cannot be stored."),
        ("video", {"provider": "file"}, "data: “file” is missing. Needed: file."),
        ("resource", {"description": ""}, "data: exactly one of these is needed: url, file."),
        (
            "quiz",
            quiz(question("essay")),
            "data.questions[0].kind: “essay” is not allowed. "
            "Allowed: single, multiple, numeric, short_text, ordering, matching.",
        ),
        (
            "quiz",
            quiz(question("single", "a"), question("single", "a")),
            "data.questions[1].id: “q1” stands there twice. Allowed: ids that differ.",
        ),
        (
            "quiz",
            quiz(question("single", "a", "a")),
            "data.questions[0].options[1].id: “a” stands there twice. Allowed: ids that differ.",
        ),
        (
            "quiz",
            quiz({**question("single", "a"), "correct": ["a"]}),
            "data.questions[0]: “correct” is not known here. Allowed: id, kind, prompt, options, points.",
        ),
    ],
)
def test_data_is_refused_by_name_and_place(slug: str, data: object, sentence: str) -> None:
    with pytest.raises(InvalidContent) as refusal:
        check_data(SCHEMAS[slug], data)
    assert refusal.value.detail.replace(", targets", "") == sentence


def test_good_data_passes() -> None:
    check_data(SCHEMAS["text"], {"format": "markdown", "body": "Words."})
    check_data(SCHEMAS["video"], {"provider": "youtube", "youtube_id": "abcdefghijk"})
    check_data(SCHEMAS["resource"], {"description": "", "url": "https://example.org/"})
    check_data(SCHEMAS["quiz"], quiz(question("single", "a", "b")))


def test_numbers_that_json_has_no_word_for_are_refused() -> None:
    schema = {"type": "object", "properties": {"n": {"type": "number"}}}
    with pytest.raises(InvalidContent, match=r"data\.n: the number is not finite\."):
        check_data(schema, {"n": float("nan")})


@pytest.mark.parametrize(
    ("asked", "answer", "sentence"),
    [
        (question("single", "a", "b"), {"correct": ["a", "b"]}, "answer_key.q1.correct: "),
        (question("single", "a", "b"), {"correct": []}, "answer_key.q1.correct: "),
        (
            question("single", "a", "b"),
            {"correct": ["z"]},
            "answer_key.q1.correct: “z” is no option of it. Allowed: a, b.",
        ),
        (question("single", "a"), {}, "answer_key.q1: “correct” is missing. Needed: correct."),
        (
            question("single", "a"),
            {"correct": ["a"], "tolerance": 1},
            "answer_key.q1.tolerance: only numeric questions have one.",
        ),
        (question("numeric"), {"correct": ["3"]}, "answer_key.q1.correct[0]: this must be of type number."),
        (question("numeric"), {"correct": [3], "tolerance": -1}, "answer_key.q1.tolerance: "),
        (
            question("ordering", "a", "b"),
            {"correct": ["a"]},
            "answer_key.q1.correct: the order must name each option once: a, b.",
        ),
        (question("matching", "a", "b"), {"correct": ["a"]}, "answer_key.q1.correct[0]: this must be of type array."),
        (
            question("matching", "a", "b"),
            {"correct": [["a", "z"]]},
            "answer_key.q1.correct: “z” is no option of it. Allowed: a, b.",
        ),
        (
            question("single", "a"),
            {"correct": ["a"], "hint": "x"},
            "answer_key.q1: “hint” is not known here. Allowed: correct, tolerance, explanation.",
        ),
    ],
)
def test_a_key_must_fit_its_question(asked: dict, answer: dict, sentence: str) -> None:
    with pytest.raises(InvalidContent) as refusal:
        check_answer_key(quiz(asked), {"q1": answer})
    assert refusal.value.detail.startswith(sentence)


def test_pairs_lead_from_options_to_targets() -> None:
    asked = {**question("matching", "a", "b"), "targets": [{"id": "x", "text": "x"}]}
    check_answer_key(quiz(asked), {"q1": {"correct": [["a", "x"]]}})
    for pair, unknown, allowed in [(["a", "b"], "b", "x"), (["x", "a"], "x", "a, b")]:
        with pytest.raises(InvalidContent, match=f"“{unknown}” is no option of it. Allowed: {allowed}"):
            check_answer_key(quiz(asked), {"q1": {"correct": [pair]}})


def test_a_key_must_name_questions_that_are_there() -> None:
    with pytest.raises(InvalidContent) as refusal:
        check_answer_key(quiz(question("numeric")), {"q9": {"correct": [1]}})
    assert refusal.value.detail == "answer_key.q9: there is no such question. Allowed: q1."


def test_good_keys_pass() -> None:
    asked = [
        question("single", "a", "b", id="one"),
        question("multiple", "a", "b", id="many"),
        question("numeric", id="number"),
        question("short_text", id="word"),
        question("ordering", "a", "b", id="order"),
        question("matching", "a", "x", id="match"),
    ]
    key = {
        "one": {"correct": ["a"], "explanation": "Because."},
        "many": {"correct": ["a", "b"]},
        "number": {"correct": [3, 4.5], "tolerance": 0},
        "word": {"correct": ["variance"]},
        "order": {"correct": ["b", "a"]},
        "match": {"correct": [["a", "x"]]},
    }
    check_answer_key(quiz(*asked), key)


def test_a_file_with_a_broken_schema_is_refused(tmp_path: Path) -> None:
    row = {"slug": "bad", "name": "Bad", "icon": "", "schema": {"type": "nonsense"}}
    (tmp_path / "bad.json").write_text(json.dumps(row))
    with pytest.raises(jsonschema.SchemaError):
        list(content_type_files(tmp_path))
