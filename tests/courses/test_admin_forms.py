"""Forms drawn from a schema: what goes in comes out, and what is wrong is said beside its field."""

from typing import Any
from urllib.parse import urlencode

import pytest
from django.http import QueryDict
from django.template.loader import render_to_string
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from lms.courses.content_rules import check_data
from lms.courses.errors import InvalidContent
from lms.courses.forms.content import ContentForm
from lms.courses.forms.schema import Problem
from lms.courses.schema_files import content_type_files
from tests.courses.browser_forms import Fields, fields_of
from tests.courses.schema_data import objects

SCHEMAS = {file.slug: file.schema for file in content_type_files()}
QUIZ = {
    "introduction": "Three questions.",
    "questions": [
        {
            "id": "root",
            "kind": "single",
            "prompt": "What halves it?",
            "options": [{"id": "a", "text": "Twice"}, {"id": "b", "text": "Four times"}],
            "points": 1,
        },
        {"id": "two", "kind": "numeric", "prompt": "$\\sqrt 2$?", "options": [], "points": 2},
        {
            "id": "pairs",
            "kind": "matching",
            "prompt": "Match.",
            "options": [{"id": "m", "text": "mean"}, {"id": "s", "text": "spread"}],
            "points": 2,
        },
    ],
}
ANSWERS = {
    "root": {"correct": ["b"], "explanation": "The root of *four* is two."},
    "two": {"correct": [1.41, 2], "tolerance": 0.01},
    "pairs": {"correct": [["m", "s"]]},
}


def shown(form: ContentForm) -> str:
    fields = render_to_string("admin/courses/contentitem/_object.html", {"form": form})
    return f'<form id="f">{fields}</form>'


def sent(form: ContentForm, **changes: str) -> Fields:
    """What a browser without a script would send of the form as it is shown, with what somebody typed into it."""
    fields = fields_of(shown(form), "f")
    unknown = set(changes) - set(fields)
    assert not {name for name in unknown if not name.endswith(("DELETE", "is_right"))}
    return fields | changes


def bound(fields: Fields, slug: str, data: Any = None, answers: Any = None) -> ContentForm:
    return ContentForm(QueryDict(urlencode(fields)), schema=SCHEMAS[slug], initial=data, answers=answers)


def resent(slug: str, data: Any, answers: Any = None, **changes: str) -> ContentForm:
    """The form of stored content, shown and sent back."""
    unbound = ContentForm(schema=SCHEMAS[slug], initial=data, answers=answers)
    return bound(sent(unbound, **changes), slug, data, answers)


def new(slug: str, **changes: str) -> ContentForm:
    return bound(sent(ContentForm(schema=SCHEMAS[slug]), **changes), slug)


def problems(form: ContentForm) -> list[tuple[str, str]]:
    assert not form.is_valid()
    return [tuple(problem) for problem in form.problems()]


class TestRoundTrip:
    @pytest.mark.parametrize("slug", sorted(SCHEMAS))
    @settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much])
    @given(draw=st.data())
    def test_stored_content_comes_back_as_it_was(self, slug: str, draw: st.DataObject) -> None:
        data = draw.draw(objects(SCHEMAS[slug]))
        try:
            check_data(SCHEMAS[slug], data)
        except InvalidContent:
            # A rule between properties, such as "a file or an address": not drawn on purpose.
            assume(False)
        form = resent(slug, data)
        assert (form.is_valid(), list(form.problems()), form.content) == (True, [], data)

    def test_a_quiz_comes_back_with_its_answers(self) -> None:
        form = resent("quiz", QUIZ, ANSWERS)
        assert (form.is_valid(), form.content, form.answers) == (True, QUIZ, ANSWERS)

    def test_every_file_has_its_type_here(self) -> None:
        assert sorted(SCHEMAS) == ["assignment", "engineering_lab", "quiz", "resource", "text", "video"]

    def test_fields_keep_the_order_of_a_stored_schema(self) -> None:
        """PostgreSQL sorts the properties of a stored schema by their length."""
        stored = {**SCHEMAS["quiz"], "properties": dict(reversed(SCHEMAS["quiz"]["properties"].items()))}
        form = ContentForm(schema=stored)
        assert [getattr(part, "name", "") for part in form.parts()] == ["introduction", "questions"]
        film = ContentForm(schema=SCHEMAS["video"])
        names = ["provider", "file", "youtube_id", "poster", "captions", "transcript", "description"]
        assert [part.name for part in film.parts()] == names


class TestKinds:
    def test_each_property_gets_the_field_that_fits(self) -> None:
        schema = {
            "properties": {
                "name": {"type": "string", "maxLength": 20, "description": "What it is <b>called</b>."},
                "story": {"type": "string", "format": "markdown"},
                "code": {"type": "string", "format": "code"},
                "size": {"enum": ["small", "very_large"]},
                "count": {"type": "integer", "minimum": 1},
                "ratio": {"type": "number"},
                "is_open": {"type": "boolean"},
                "tags": {"type": "array", "items": {"type": "string"}},
                "shape": {"type": "object", "properties": {"x": {"type": "number"}}},
            },
        }
        data = {
            "name": "n",
            "story": "s\n\nt",
            "code": "  c",
            "size": "very_large",
            "count": 3,
            "ratio": 0.5,
            "is_open": True,
            "tags": ["a", "b c"],
            "shape": {"x": 1},
        }
        unbound = ContentForm(schema=schema, initial=data)
        kinds = {part.name: part.field.widget.attrs["data-kind"] for part in unbound.parts()}
        assert kinds == {
            "name": "line",
            "story": "markdown",
            "code": "code",
            "size": "choice",
            "count": "integer",
            "ratio": "number",
            "is_open": "boolean",
            "tags": "lines",
            "shape~json": "json",
        }
        assert "What it is &lt;b&gt;called&lt;/b&gt;." in shown(unbound)
        form = ContentForm(QueryDict(urlencode(sent(unbound))), schema=schema, initial=data)
        assert (form.is_valid(), form.content) == (True, data)

    def test_what_does_not_fit_its_field_is_shown_as_json_and_kept(self) -> None:
        schema = {"properties": {"count": {"type": "integer"}, "rows": {"type": "array", "items": {"type": "object"}}}}
        data = {"count": {"odd": None}, "rows": [1, "two"], "extra": [True]}
        unbound = ContentForm(schema={**schema, "properties": {**schema["properties"], "count": {}}}, initial=data)
        fields = sent(unbound)
        assert fields == {
            "data-count~json": '{\r\n  "odd": null\r\n}',
            "data-rows~json": '[\r\n  1,\r\n  "two"\r\n]',
            "data-~others": '{\r\n  "extra": [\r\n    true\r\n  ]\r\n}',
        }
        form = ContentForm(QueryDict(urlencode(fields)), schema={"properties": {"count": {}, "rows": {}}}, initial=data)
        assert (form.is_valid(), form.content) == (True, data)

    @pytest.mark.parametrize(
        ("typed", "sentence"),
        [
            ("{1}", "This is not JSON: line 1, column 2: Expecting property name enclosed in double quotes."),
            ('{\n"a": }', "This is not JSON: line 2, column 6: Expecting value."),
            ("NaN", "This is not JSON: line 1, column 1: NaN is no number in JSON."),
            ("[" * 100_000, "This is nested too deeply."),
            ('"text"', "This must be of type object."),
        ],
    )
    def test_json_says_where_it_is_wrong(self, typed: str, sentence: str) -> None:
        schema = {"properties": {"shape": {"type": "object", "title": "Shape"}}}
        form = ContentForm(QueryDict(urlencode({"data-shape~json": typed})), schema=schema)
        assert problems(form) == [("Shape", sentence)]


class TestRows:
    def test_blank_rows_do_not_count(self) -> None:
        data = {"introduction": "", "steps": [{"title": "One", "body": ""}], "language": "c", "starter_code": ""}
        fields = sent(ContentForm(schema=SCHEMAS["engineering_lab"], initial=data))
        assert fields["data-steps-TOTAL_FORMS"] == "3"
        form = bound(fields, "engineering_lab", data)
        assert (form.is_valid(), form.content) == (True, data)

    def test_rows_are_added_removed_and_given_another_place(self) -> None:
        titles = ["One", "Two", "Three"]
        steps = [{"title": title, "body": title.lower()} for title in titles]
        data = {"introduction": "", "steps": steps, "language": "c", "starter_code": ""}
        changes = {
            "data-steps-0-ORDER": "9",
            "data-steps-1-DELETE": "on",
            "data-steps-3-title": "Four",
            "data-steps-3-ORDER": "1",
        }
        form = resent("engineering_lab", data, **changes)
        assert form.is_valid()
        assert form.content["steps"] == [
            {"title": "Four", "body": ""},
            {"title": "Three", "body": "three"},
            {"title": "One", "body": "one"},
        ]

    def test_rows_that_a_script_did_not_send_are_blank(self) -> None:
        data = {"introduction": "", "steps": [], "language": "c", "starter_code": ""}
        fields = sent(ContentForm(schema=SCHEMAS["engineering_lab"], initial=data))
        fields = {
            name: value for name, value in fields.items() if not name.startswith(("data-steps-0", "data-steps-1"))
        }
        form = bound(fields, "engineering_lab", data)
        assert (form.is_valid(), form.content) == (True, data)

    def test_ids_are_made_for_rows_without_one(self) -> None:
        form = new(
            "quiz",
            **{
                "data-questions-0-prompt": "First?",
                "data-questions-0-options-0-text": "yes",
                "data-questions-0-options-1-id": "o1",
                "data-questions-0-options-1-text": "no",
                "data-questions-1-id": "q1",
                "data-questions-1-prompt": "Second?",
            },
        )
        assert form.is_valid()
        assert form.content["questions"] == [
            {
                "id": "q2",
                "kind": "single",
                "prompt": "First?",
                "points": 1,
                "options": [{"id": "o2", "text": "yes"}, {"id": "o1", "text": "no"}],
            },
            {"id": "q1", "kind": "single", "prompt": "Second?", "points": 1, "options": []},
        ]

    def test_a_form_that_arrives_in_part_is_refused(self) -> None:
        fields = {
            name: value for name, value in sent(ContentForm(schema=SCHEMAS["quiz"])).items() if "TOTAL" not in name
        }
        sentence = "Part of this form did not arrive. Nothing was saved; please send it again."
        assert problems(bound(fields, "quiz"))[0] == ("", sentence)


class TestProblems:
    """Each is said beside its field, with what is allowed."""

    @pytest.mark.parametrize(
        ("slug", "changes", "expected"),
        [
            ("assignment", {"data-instructions": ""}, [("Instructions", "This is needed.")]),
            (
                "assignment",
                {"data-instructions": "x", "data-points": "10001"},
                [("Points", "Ensure this value is less than or equal to 10000.")],
            ),
            (
                "assignment",
                {"data-instructions": "x", "data-points": "many"},
                [("Points", "Enter a number.")],
            ),
            (
                "assignment",
                {"data-instructions": "x", "data-points": "1.5"},
                [("Points", "Enter a whole number.")],
            ),
            (
                "assignment",
                {"data-instructions": "x", "data-submission": "fax"},
                [("What is handed in", "Select a valid choice. fax is not one of the available choices.")],
            ),
            ("video", {}, [("File", "This is needed.")]),
            ("video", {"data-provider": "youtube"}, [("YouTube id", "This is needed.")]),
            (
                "video",
                {"data-file": "../secret"},
                [
                    (
                        "File",
                        "“../secret” is not allowed here. Path of the film among the course's files (WebM or MP4).",
                    )
                ],
            ),
            ("resource", {}, [("", "Exactly one of these is needed: url, file.")]),
            (
                "quiz",
                {"data-questions-0-prompt": "", "data-questions-0-points": "2", "data-questions-0-id": "not an id"},
                [
                    (
                        "Question 1, Id",
                        "“not an id” is not allowed here. "
                        "Allowed: up to 64 letters, digits, “_”, “.” and “-”, beginning with a letter or a digit.",
                    ),
                    ("Question 1, Question", "This is needed."),
                ],
            ),
            (
                "quiz",
                {
                    "data-questions-0-prompt": "a",
                    "data-questions-0-id": "q",
                    "data-questions-1-prompt": "b",
                    "data-questions-1-id": "q",
                },
                [("Question 2, Id", "“q” stands there twice. Allowed: ids that differ.")],
            ),
            ("quiz", {"data-questions-0-DELETE": "on"}, [("Questions", "At least one is needed.")]),
            (
                "quiz",
                {"data-questions-0-prompt": "a", "data-questions-0-options-0-id": "x"},
                [("Question 1, Option 1, Text", "This is needed.")],
            ),
        ],
    )
    def test_a_problem_stands_beside_its_field(self, slug: str, changes: Fields, expected: list[Problem]) -> None:
        form = new(slug, **changes)
        assert sorted(problems(form)) == expected
        for _place, message in expected:
            assert message.partition("“")[0] in shown(form)

    def test_characters_that_cannot_be_stored_are_refused(self) -> None:
        form = new("text", **{"data-body": "a\x00b"})
        assert problems(form) == [("Text", "Null characters are not allowed.")]


class TestAnswers:
    def changed(self, **changes: str) -> ContentForm:
        return resent("quiz", QUIZ, ANSWERS, **changes)

    def test_ticks_numbers_and_pairs_are_read(self) -> None:
        form = self.changed(
            **{
                "data-questions-0-options-0-is_right": "on",
                "data-questions-0-kind": "multiple",
                "data-questions-1-right_answers": "3\r\n\r\n4.5",
                "data-questions-1-tolerance": "",
                "data-questions-2-right_answers": "mean = spread",
            }
        )
        assert form.is_valid()
        assert form.answers == {
            "root": {"correct": ["a", "b"], "explanation": "The root of *four* is two."},
            "two": {"correct": [3, 4.5]},
            "pairs": {"correct": [["m", "s"]]},
        }

    def test_pairs_lead_to_targets_where_there_are_some(self) -> None:
        changes = {
            "data-questions-2-targets-0-id": "mu",
            "data-questions-2-targets-0-text": "the middle",
            "data-questions-2-right_answers": "mean = the middle\ns = mu",
        }
        form = self.changed(**changes)
        assert form.is_valid()
        assert form.content["questions"][2]["targets"] == [{"id": "mu", "text": "the middle"}]
        assert form.answers["pairs"] == {"correct": [["m", "mu"], ["s", "mu"]]}

    def test_an_order_is_read_by_ids_or_texts(self) -> None:
        changes = {"data-questions-2-kind": "ordering", "data-questions-2-right_answers": "spread\nm"}
        form = self.changed(**changes)
        assert (form.is_valid(), form.answers["pairs"]) == (True, {"correct": ["s", "m"]})

    def test_a_question_that_changes_its_kind_leaves_nothing_behind(self) -> None:
        form = self.changed(**{"data-questions-1-kind": "short_text", "data-questions-1-right_answers": "root two"})
        assert (form.is_valid(), form.answers["two"]) == (True, {"correct": ["root two"]})

    def test_answers_follow_their_question(self) -> None:
        form = self.changed(**{"data-questions-1-id": "renamed", "data-questions-0-DELETE": "on"})
        assert form.is_valid()
        assert form.answers == {"renamed": ANSWERS["two"], "pairs": ANSWERS["pairs"]}

    def test_answers_may_be_left_out(self) -> None:
        form = self.changed(**{"data-questions-1-right_answers": "", "data-questions-1-tolerance": ""})
        assert form.is_valid()
        assert sorted(form.answers) == ["pairs", "root"]

    @pytest.mark.parametrize(
        ("changes", "expected"),
        [
            (
                {"data-questions-0-options-0-is_right": "on"},
                ("Question 1", "Only one option can be right. Questions with more are of the kind “multiple”."),
            ),
            (
                {"data-questions-1-right_answers": "about 3"},
                ("Question 2, Right answers", "“about 3” is no number. Write it like 0.25."),
            ),
            (
                {"data-questions-1-right_answers": "1e999"},
                ("Question 2, Right answers", "“1e999” is no number. Write it like 0.25."),
            ),
            (
                {"data-questions-2-right_answers": "m"},
                ("Question 3, Right answers", "“m” is no pair. Write an option and a target with = between."),
            ),
            (
                {"data-questions-2-right_answers": "m = x"},
                ("Question 3, Right answers", "Right answers: “x” is no option of it. Allowed: m, s."),
            ),
            (
                {"data-questions-1-right_answers": "", "data-questions-1-explanation": "Because."},
                ("Question 2, Explanation", "Say which answer is right too, or leave the explanation empty."),
            ),
            (
                {"data-questions-2-kind": "ordering", "data-questions-2-right_answers": "m"},
                (
                    "Question 3, Right answers",
                    "Right answers: the order must name each option once: m, s.",
                ),
            ),
        ],
    )
    def test_a_wrong_answer_is_said_at_its_question(self, changes: Fields, expected: tuple[str, str]) -> None:
        assert problems(self.changed(**changes)) == [expected]

    def test_other_content_has_no_answers(self) -> None:
        form = new("text", **{"data-body": "Read."})
        assert (form.is_valid(), form.answers) == (True, None)
