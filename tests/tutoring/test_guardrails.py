"""No way to the tutor carries an answer key, and nothing that it is told depends on one."""

import io
import json
from collections.abc import Awaitable, Callable
from dataclasses import asdict
from uuid import uuid4

import pytest
from channels.db import database_sync_to_async
from django.core.management import call_command
from django.test import AsyncClient

from lms.courses.actions.content_types import load_content_types
from lms.courses.models import AnswerKey, ContentItem, Course
from lms.learning.access import access_lesson
from lms.learning.actions.quizzes import check_answers, keep_answers
from prompts.queries import compile_prompt
from tests import factories
from tests.courses.importing.samples import MARKDOWN, OLX, write
from tests.fakes.claude import Answer
from tests.learning.samples import make_quiz
from tests.tutoring.live_case import EventStream, LiveCase, new_socket, opened
from tests.tutoring.scenes import sams_session
from tests.world import World
from tutoring.actions.sessions import start_session
from tutoring.briefing import request_for
from tutoring.models import ChatSession, Message

KEY = {
    "one": {"correct": ["b"], "explanation": "quixotic-single"},
    "many": {"correct": ["a", "c"], "explanation": "quixotic-multiple"},
    "number": {"correct": [918273645, 271828182.8], "tolerance": 31415.92, "explanation": "quixotic-numeric"},
    "word": {"correct": ["quixotic-word", "variance"], "explanation": "quixotic-short"},
    "order": {"correct": ["a", "b", "c"], "explanation": "quixotic-ordering"},
    "match": {"correct": [["a", "x"], ["b", "y"]], "explanation": "quixotic-matching"},
}
# Right by `KEY`, in words that do not stand in it, and wrong by `OTHER_KEY`.
RIGHT = {
    "one": ["b"],
    "many": ["a", "c"],
    "number": ["918250000"],
    "word": ["Variance"],
    "order": ["a", "b", "c"],
    "match": [["a", "x"], ["b", "y"]],
}
OTHER_KEY = {
    "one": {"correct": ["a"]},
    "many": {"correct": ["b"]},
    "number": {"correct": [1]},
    "word": {"correct": ["quixotic-other"]},
    "order": {"correct": ["c", "b", "a"]},
    "match": {"correct": [["a", "y"], ["b", "x"]]},
}
CANARIES = ["quixotic", "918273645", "271828182", "31415"]
ANSWERED = [
    "Chose: Option b",
    "Chose: Option a; Option c",
    "Answered: 918250000",
    "Answered: Variance",
    "Put in this order: 1. Option a; 2. Option b; 3. Option c",
    "Matched: Option a → Option x; Option b → Option y",
]


def found(words: list[str], anything: object) -> list[str]:
    text = json.dumps(anything, ensure_ascii=False, default=str)
    return [word for word in words if word in text]


class EveryWay(LiveCase):
    """Sam asks about a quiz that he has checked himself in, with answers that are all right."""

    def setUp(self):
        super().setUp()
        self.enterContext(self.settings(TUTOR_SENDS_PER_MINUTE_PER_USER=1000))
        self.quiz = make_quiz(self.world.lesson, answer_key=KEY)
        unit = factories.make_module(self.world.course, self.world.root, "Next")
        for module in (self.world.lesson, unit):
            make_quiz(module, title="A neighbour", answer_key=KEY)
        self.lesson = access_lesson(
            self.world.sam, university="north", offering=self.world.offering.pk, item=self.quiz.pk
        )
        keep_answers(lesson=self.lesson, answers=RIGHT)
        self.begin_anew()

    def begin_anew(self) -> None:
        ChatSession.objects.all().delete()
        self.session = start_session(by=self.world.sam, lesson=self.lesson)
        self.path = f"/ws/tutor/{self.session.pk}/"

    async def by_form(self, path: str, **fields: object) -> None:
        browser = AsyncClient()
        await browser.aforce_login(self.world.sam)
        answer = await browser.post(path, {"key": str(uuid4()), "text": "By form?"} | fields)
        assert answer.status_code == 302

    async def by_the_lessons_form(self) -> None:
        await self.by_form(f"/north/learn/{self.world.offering.pk}/{self.quiz.pk}/ask/")

    async def by_the_conversations_form(self) -> None:
        await self.by_form(f"/north/tutor/{self.session.pk}/ask/")

    async def by_form_edited(self) -> None:
        question = await Message.objects.filter(role="user").alatest("seq")
        await self.by_form(f"/north/tutor/{self.session.pk}/ask/", edits=question.pk)

    async def by_form_continued(self) -> None:
        """As the button beside a reply that broke off does it."""
        reply = await Message.objects.filter(role="assistant").alatest("seq")
        words = "Please go on where you stopped."
        await self.by_form(f"/north/tutor/{self.session.pk}/ask/", text=words, parent=reply.pk)

    async def by_form_again(self) -> None:
        reply = await Message.objects.filter(role="assistant").alatest("seq")
        await self.by_form(f"/north/tutor/{self.session.pk}/regenerate/", reply=reply.pk)

    async def by_frame(self, **frame: object) -> None:
        cookie = await database_sync_to_async(self.cookie)()
        async with opened(new_socket(self.path, cookie=cookie)) as socket:
            await socket.say(key=str(uuid4()), **frame)
            await socket.hear_until("done")

    async def by_socket(self) -> None:
        await self.by_frame(action="send", text="By socket?")

    async def by_socket_edited(self) -> None:
        question = await Message.objects.filter(role="user").alatest("seq")
        await self.by_frame(action="send", text="By socket, edited?", edits=question.pk)

    async def by_socket_again(self) -> None:
        reply = await Message.objects.filter(role="assistant").alatest("seq")
        await self.by_frame(action="regenerate", reply=reply.pk)

    async def by_request(self, path: str, body: object = None) -> None:
        token = await database_sync_to_async(self.token)()
        path = f"/chat/sessions/{self.session.pk}/{path}"
        stream = EventStream("POST", path, token=token, body=body, idempotency_key=str(uuid4()))
        assert (await stream.open())[0] == 200
        assert (await stream.rest())[-1][0] == "done"

    async def by_api(self) -> None:
        await self.by_request("messages", {"text": "By API?"})

    async def by_api_again(self) -> None:
        reply = await Message.objects.filter(role="assistant").alatest("seq")
        await self.by_request(f"replies/{reply.pk}/regenerate")

    WAYS: list[Callable[["EveryWay"], Awaitable[None]]] = [
        by_the_lessons_form,
        by_the_conversations_form,
        by_form_edited,
        by_form_continued,
        by_form_again,
        by_socket,
        by_socket_edited,
        by_socket_again,
        by_api,
        by_api_again,
    ]

    async def asked_on_every_way(self) -> list[dict]:
        """What went to the model: one request for each way."""
        before = len(self.claude.requests)
        for way in self.WAYS:
            await way(self)
        bodies = [request.body for request in self.claude.requests[before:]]
        assert len(bodies) == len(self.WAYS)
        return bodies

    async def test_the_model_is_sent_the_students_answers_and_no_answer_key(self):
        for body in await self.asked_on_every_way():
            assert found(CANARIES, body) == []
            assert found(ANSWERED, body) == ANSWERED
            assert found(["own_latest_work", *ANSWERED], body["system"]) == []

    async def test_what_the_model_is_sent_is_the_same_whatever_is_right(self):
        @database_sync_to_async
        def points() -> int:
            return check_answers(by=self.world.sam, offering=self.world.offering, item=self.quiz, answers=RIGHT).points

        with_key, all_points = await self.asked_on_every_way(), await points()
        await AnswerKey.objects.all().aupdate(data=OTHER_KEY)
        await database_sync_to_async(self.begin_anew)()
        with_other_key, no_points = await self.asked_on_every_way(), await points()
        assert (all_points, no_points) == (7, 0)
        assert with_key == with_other_key

    async def test_what_is_stored_and_shown_of_the_conversation_has_no_answer_key(self):
        self.claude.will(Answer(["Think of the spread."]))
        await self.by_api()
        token = await database_sync_to_async(self.token)()
        detail = EventStream("GET", f"/chat/sessions/{self.session.pk}", token=token)
        status, shown = await detail.answer()
        assert (status, found(["By API?", "Think of the spread."], shown.decode())) == (
            200,
            ["By API?", "Think of the spread."],
        )
        browser = AsyncClient()
        await browser.aforce_login(self.world.sam)
        lesson = await browser.get(f"/north/learn/{self.world.offering.pk}/{self.quiz.pk}/")
        page = await browser.get(f"/north/tutor/{self.session.pk}/")
        rows = [await ChatSession.objects.values().aget()]
        rows += [row async for row in Message.objects.values()]
        assert (lesson.status_code, page.status_code, len(rows)) == (200, 200, 3)
        assert found(CANARIES, [shown.decode(), lesson.text, page.text, rows]) == []

    async def test_a_title_is_made_without_the_lesson_and_without_the_key(self):
        with self.settings(TUTOR_TITLES=True):
            await self.by_api()
            title = (await self.upstream(1)).body
        assert title["model"] == "claude-haiku-5-5"
        assert found([*CANARIES, *ANSWERED, "What of one?"], title["system"]) == []
        assert found(CANARIES, title) == []

    async def test_the_practice_tutor_quotes_the_quiz_and_no_answer_key(self):
        with self.settings(TUTOR_PROVIDER="practice"):
            sent = await self.answered("What of number? Is it 918273645, quixotic-numeric?")
        state, text, _ = await self.row(sent)
        assert (state, "What of" in text, found(CANARIES, text)) == ("complete", True, [])
        assert found(CANARIES, asdict(sent.request) | {"turns": []}) == []
        assert self.claude.requests == []


def items_of_imported(world: World, path: object, code: str) -> list[ContentItem]:
    load_content_types()
    call_command("import_course", str(path), "--university", "north", stdout=io.StringIO())
    items = ContentItem.objects.filter(module__course__code=code)
    return list(items.select_related("content_type", "module").order_by("pk"))


class TestImportedCourses:
    """What an importer takes for a question's answer must stand in the key alone."""

    QUIZ = """---
title: Check yourself
type: quiz
questions:
  - {id: one, prompt: P1, explanation: quixotic-single, options: [{text: A}, {text: B, correct: true}]}
  - {id: number, prompt: P2, kind: numeric, answer: 918273645, tolerance: 31415, explanation: quixotic-numeric}
  - {id: word, prompt: P3, kind: short_text, answer: [quixotic-word, variance], explanation: quixotic-short}
  - {id: order, prompt: P4, kind: ordering, answer: [b, a], options: [{id: a, text: A}, {id: b, text: B}]}
---
Four questions.
"""
    PROBLEM = (
        '<problem display_name="P"><numericalresponse answer="918273645"><p>quixotic-olx</p></numericalresponse>'
        "<solution><p>quixotic-solution</p></solution></problem>"
    )

    def told(self, world: World, items: list[ContentItem]) -> list[object]:
        """What the model would be told of each item, which staff may open while the course is a draft."""
        sams_session(world)
        offering = factories.make_offering(Course.objects.get(pk=items[0].module.course_id))
        requests = []
        for item in items:
            lesson = access_lesson(world.tess, university="north", offering=offering.pk, item=item.pk)
            session = start_session(by=world.tess, lesson=lesson)
            place = {"university": world.north, "session": session}
            question = Message.objects.create(**place, seq=1, role="user", body="Why?")
            prompt = compile_prompt(name=item.prompt_name, university=world.north)
            requests.append(asdict(request_for(session, prompt, question).request))
        return requests

    @pytest.mark.django_db
    def test_markdown(self, world: World, tmp_path) -> None:
        files = MARKDOWN | {"01-levers/02-balance/10-check.md": self.QUIZ}
        items = items_of_imported(world, write(tmp_path, files), "PHYS101")
        assert found(CANARIES[:2], [*AnswerKey.objects.values_list("data", flat=True)]) == CANARIES[:2]
        told, shown = self.told(world, items), ["P1", "P2", "P3", "P4", "The torques are equal."]
        assert found(shown, told) == shown
        assert found(CANARIES, [[item.data for item in items], told]) == []

    @pytest.mark.django_db
    def test_open_edx(self, world: World, tmp_path) -> None:
        items = items_of_imported(world, write(tmp_path, OLX | {"problem/p1.xml": self.PROBLEM}), "APP7")
        told = self.told(world, items)
        assert found(["A hand deep."], told) == ["A hand deep."]
        assert found(CANARIES, [[item.data for item in items], told]) == []
