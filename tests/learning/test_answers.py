"""What of a student's answers is kept, and how it reads to the tutor."""

import json

import pytest

from lms.learning.answers import MAX_TEXT_CHARACTERS, answers_text, kept_answers
from tests.learning.samples import DATA, options, question

QUESTIONS = DATA["questions"]
SIDES = question("sides", "matching", "a", "b") | {"targets": [{"id": "a", "text": "*Left*"}, *options("z")]}


class TestKept:
    def test_answers_to_what_the_quiz_asks(self) -> None:
        given = {
            "match": [["a", "x"], ["b", "y"]],
            "order": ["c", "b", "a"],
            "word": [" variance "],
            "number": ["3,1"],
            "many": ["c", "a"],
            "one": ["b"],
        }
        assert list(kept_answers(QUESTIONS, given).items()) == [
            ("one", ["b"]),
            ("many", ["c", "a"]),
            ("number", ["3,1"]),
            ("word", ["variance"]),
            ("order", ["c", "b", "a"]),
            ("match", [["a", "x"], ["b", "y"]]),
        ]

    @pytest.mark.parametrize(
        "given",
        [
            {"gone": ["a"]},
            {"one": ["gone"], "many": [], "order": ["gone"]},
            {"number": ["  "], "word": ["\x00\ud800"]},
            {"number": [["a", "b"]], "word": [["a", "b"]], "one": [["a", "b"]], "match": ["ax", "a"]},
            {"match": [["gone", "x"], ["a", "gone"]]},
        ],
    )
    def test_nothing_of_what_is_unknown_or_no_answer(self, given: dict) -> None:
        assert kept_answers(QUESTIONS, given) == {}

    def test_no_more_than_a_quiz_can_have(self) -> None:
        given = {
            "word": ["x" * 5000, "y"],
            "many": ["a", "b"] * 5000,
            "match": [["a", "x"], ["a", "y"]] * 5000,
            **{f"q{number}": ["a"] for number in range(5000)},
        }
        assert kept_answers(QUESTIONS, given) == {
            "many": ["a", "b"],
            "word": ["x" * MAX_TEXT_CHARACTERS],
            "match": [["a", "y"]],
        }

    def test_targets_of_their_own_may_share_ids_with_the_options(self) -> None:
        given = {"sides": [["a", "z"], ["b", "a"], ["z", "a"]]}
        assert kept_answers([SIDES], given) == {"sides": [["a", "z"], ["b", "a"]]}

    def test_what_is_kept_stays_as_it_is(self) -> None:
        kept = kept_answers(QUESTIONS, {"one": ["b"], "match": [("a", "x")], "word": ["a\x00b"]})
        assert kept_answers(QUESTIONS, json.loads(json.dumps(kept))) == kept


class TestText:
    def test_reads_without_ids_and_without_marks(self) -> None:
        given = {
            "one": ["b"],
            "many": ["c", "a"],
            "word": ["standard\n\nerror"],
            "order": ["c", "b"],
            "match": [["a", "x"], ["b", "x"]],
        }
        assert answers_text(QUESTIONS, given) == (
            "Question 1: What of one?\nChose: Option b\n\n"
            "Question 2: What of many?\nChose: Option c; Option a\n\n"
            "Question 3: What of number?\nNot answered.\n\n"
            "Question 4: What of word?\nAnswered: standard error\n\n"
            "Question 5: What of order?\nPut in this order: 1. Option c; 2. Option b\n\n"
            "Question 6: What of match?\nMatched: Option a → Option x; Option b → Option x"
        )

    def test_names_the_targets_where_they_stand_apart(self) -> None:
        assert answers_text([SIDES], {"sides": [["a", "a"], ["b", "z"]]}) == (
            "Question 1: What of sides?\nMatched: Option a → Left; Option b → Option z"
        )

    def test_shortens_long_questions_and_options(self) -> None:
        long = question("long", "single") | {"prompt": "p" * 400, "options": [{"id": "a", "text": "o" * 400}]}
        assert answers_text([long], {"long": ["a"]}) == f"Question 1: {'p' * 299}…\nChose: {'o' * 299}…"

    @pytest.mark.parametrize("given", [{}, {"one": []}, {"gone": ["a"], "one": ["gone"]}])
    def test_is_empty_without_answers(self, given: dict) -> None:
        assert answers_text(QUESTIONS, given) == ""
