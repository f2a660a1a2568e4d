"""What the lesson's template is given; the page itself belongs to the tutor's app."""

from django.http import QueryDict

from lms.courses.models import ContentItem, ContentType
from lms.learning.access import Lesson, access_lesson
from lms.learning.actions.progress import mark_done
from lms.learning.forms import given_answers
from lms.learning.lesson_page import lesson_context
from tests.learning.samples import CANARY, DATA, make_quiz
from tests.world import World


def lesson_of(world: World, item: ContentItem, user=None) -> Lesson:
    return access_lesson(user or world.sam, university="north", offering=world.offering.pk, item=item.pk)


def test_a_text(world: World) -> None:
    context = lesson_context(lesson_of(world, world.item))
    prefix = f"/north/learn/{world.offering.pk}"
    units = context["outline"].pop("units")
    html = str(context.pop("content")["html"])

    assert html.startswith('<h2 id="section-why-samples-vary">Why samples vary</h2>\n<p>Two samples')
    assert [unit.title for unit in units] == ["Samples"]
    assert context == {
        "university": world.north,
        "item": {"title": "Reading: why samples vary", "kind": "text", "objectives": ["Explain why samples vary"]},
        "content_template": "courses/content/_text.html",
        "path": [
            {"title": "Thinking with samples", "url": "/north/courses/stat101/"},
            {"title": "Samples", "url": ""},
            {"title": "Why samples vary", "url": ""},
        ],
        "outline": {
            "course": "Thinking with samples",
            "course_url": "/north/courses/stat101/",
            "done": 0,
            "total": 2,
        },
        "is_done": False,
        "done_url": f"{prefix}/{world.item.pk}/done/",
        "previous": None,
        "next": {"title": "Reading: how much", "url": f"{prefix}/{world.second_item.pk}/"},
    }


def test_what_is_done_is_not_offered_again(world: World) -> None:
    mark_done(by=world.sam, enrollment=world.enrollment, item=world.item)
    context = lesson_context(lesson_of(world, world.item))
    assert (context["is_done"], context["done_url"]) == (True, "")


def test_staff_are_not_asked_to_mark(world: World) -> None:
    context = lesson_context(lesson_of(world, world.item, world.tess))
    assert (context["is_done"], context["done_url"]) == (False, "")


def test_a_type_of_somebody_elses_shows_an_empty_text(world: World) -> None:
    other = ContentType.objects.create(slug="poem", name="Poem", schema={})
    ContentItem.objects.filter(pk=world.item.pk).update(content_type=other)
    context = lesson_context(lesson_of(world, world.item))
    assert (context["content_template"], context["content"]) == ("courses/content/_text.html", {"html": ""})


class TestQuiz:
    def test_has_no_trace_of_its_key(self, world: World) -> None:
        quiz = make_quiz(world.lesson)
        content = lesson_context(lesson_of(world, quiz))["content"]
        assert (content["score"], content["introduction_html"]) == (None, "<p>Look <em>closely</em>.</p>\n")
        assert content["check_url"] == f"/north/learn/{world.offering.pk}/{quiz.pk}/check/"
        assert content["questions"][0] == {
            "id": "one",
            "kind": "single",
            "points": 2,
            "prompt_html": "<p>What of one?</p>\n",
            "options": [
                {"id": "a", "text": "Option <strong>a</strong>", "is_chosen": False, "place": None},
                {"id": "b", "text": "Option <strong>b</strong>", "is_chosen": False, "place": None},
            ],
            "targets": [],
            "answer": None,
            "result": None,
        }
        assert (CANARY in repr(content), "correct" in repr(content)) == (False, False)

    def test_shows_answers_and_their_marks(self, world: World) -> None:
        quiz = make_quiz(world.lesson)
        given = QueryDict("q-one=b&q-number=2&q-order-a=2&q-order-c=1&q-match-a=x&q-match-b=y")
        content = lesson_context(lesson_of(world, quiz), given)["content"]

        assert content["score"] == {"points": 3, "of": 7}
        questions = {question["id"]: question for question in content["questions"]}
        assert {id: each["result"] for id, each in questions.items()} == {
            "one": {
                "is_correct": True,
                "is_partly": False,
                "explanation_html": f"<p>Because <em>{CANARY}</em> b.</p>\n",
            },
            "many": None,
            "number": {"is_correct": False, "is_partly": False, "explanation_html": f"<p>{CANARY} pi.</p>\n"},
            "word": None,
            "order": {"is_correct": False, "is_partly": False, "explanation_html": ""},
            "match": {"is_correct": True, "is_partly": False, "explanation_html": ""},
        }
        assert [option["is_chosen"] for option in questions["one"]["options"]] == [False, True]
        assert questions["number"]["answer"] == "2"
        assert {option["id"]: option["place"] for option in questions["order"]["options"]} == {
            "c": 1,
            "a": 2,
            "b": None,
        }
        assert {option["id"]: option["place"] for option in questions["match"]["options"]} == {
            "a": "x",
            "b": "y",
            "x": None,
            "y": None,
        }

    def test_an_explanation_with_markup_is_inert(self, world: World) -> None:
        quiz = make_quiz(world.lesson, answer_key={"one": {"correct": ["a"], "explanation": "<script>x</script>"}})
        content = lesson_context(lesson_of(world, quiz), QueryDict("q-one=b"))["content"]
        assert content["questions"][0]["result"]["explanation_html"] == "<p>&lt;script&gt;x&lt;/script&gt;</p>\n"


def test_posted_fields_become_answers() -> None:
    given = QueryDict(
        "q-one=b&q-many=a&q-many=c&q-number=&q-word=+&q-order-a=1&q-order-b=1&q-order-c=2&q-match-a=&q-match-b=y&q-x=1"
    )
    assert given_answers(DATA["questions"], given) == {
        "one": ["b"],
        "many": ["a", "c"],
        # Two on one place have none.
        "order": ["c"],
        "match": [["b", "y"]],
    }
    places = QueryDict("q-order-a=" + "9" * 5000 + "&q-order-b=x")
    assert given_answers(DATA["questions"], places) == {"order": ["a"]}
