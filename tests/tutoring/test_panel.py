"""What the tutor's panel is given to show."""

from datetime import datetime
from uuid import UUID, uuid4
from zoneinfo import ZoneInfo

import pytest

from lms.courses.markdown import render_reply
from tests.tutoring.scenes import ask, ask_anew, end, sams_lesson, sams_session, save
from tests.world import World
from tutoring import queries
from tutoring.actions.feedback import rate_reply
from tutoring.actions.sending import Sent
from tutoring.models import ChatSession, Generation, Message
from tutoring.panel import Look, Panel, Refusal, conversation_panel, lesson_panel, suggested_questions
from tutoring.queries import Meter

KEYS = {"key", "continue_key"}


def beside_the_lesson(
    world: World,
    *,
    revision: int = 1,
    refusal: Refusal | None = None,
    look: Look | None = None,
    meter: Meter | None = None,
) -> Panel:
    return lesson_panel(
        queries.latest_conversation(world.sam, sams_lesson(world)),
        university="north",
        offering=world.offering.pk,
        item=world.item.pk,
        objectives=world.item.objectives,
        revision=revision,
        refusal=refusal or Refusal(),
        look=look or Look(),
        meter=meter,
    )


def facts(panel: Panel) -> dict:
    """All of it but the keys, which are new each time."""
    return {name: value for name, value in vars(panel).items() if name not in KEYS | {"suggestions", "messages"}}


def test_before_the_first_question(world: World) -> None:
    panel = beside_the_lesson(world)
    place = f"/north/learn/{world.offering.pk}/{world.item.pk}"
    assert facts(panel) == {
        "here_url": f"{place}/",
        "session": "",
        "session_url": f"{place}/new/",
        "ask_url": f"{place}/ask/",
        "stop_url": "",
        "regenerate_url": "",
        "feedback_url": "",
        "new_url": f"{place}/new/",
        "page_url": "",
        "history_url": "/north/tutor/",
        "is_practice": True,
        "is_stale": False,
        "error": "",
        "running": "",
        "running_url": "",
        "parent": "",
        "edits": None,
        "cancel_url": "",
        "allowance": None,
        "draft": "",
        "max_length": 8000,
    }
    assert panel.messages == []
    assert [suggestion["text"] for suggestion in panel.suggestions] == suggested_questions(world.item.objectives)


def test_each_form_has_a_key_of_its_own(world: World) -> None:
    panels = [beside_the_lesson(world) for _ in range(2)]
    keys = [key for panel in panels for key in (panel.key, panel.continue_key, *(s["key"] for s in panel.suggestions))]
    assert len(set(keys)) == len(keys) == 10
    assert all(str(UUID(key)) == key for key in keys)


def test_questions_and_replies_in_each_state(world: World) -> None:
    session = sams_session(world)
    words = "A *reply* with <b>markup</b>."
    outcomes = [("complete", ""), ("stopped", ""), ("failed", "timeout")]
    sents = []
    for number, (state, code) in enumerate(outcomes):
        sents.append(ask(world, session, f"Question <{number}>?"))
        assert end(sents[-1], words, state, code=code)
    sents.append(ask(world, session, "Question <3>?"))
    assert save(sents[-1], words)

    panel = beside_the_lesson(world)
    rows = {row.pk: row for row in Message.objects.filter(session=session)}
    questions = [message for message in panel.messages if message["role"] == "user"]
    assert questions == [
        {
            "role": "user",
            "id": sent.message,
            "state": "complete",
            "text": f"Question <{number}>?",
            "length": 13,
            "versions": None,
            "edit_url": f"{panel.here_url}?edit={sent.message}#composer-words",
            "created_at": rows[sent.message].created_at,
        }
        for number, sent in enumerate(sents)
    ]
    replies = [message for message in panel.messages if message["role"] == "assistant"]
    states = [("complete", ""), ("stopped", ""), ("failed", "timeout"), ("streaming", "")]
    keys = {reply.pop("key") for reply in replies}
    assert len(keys) == 4
    assert all(str(UUID(key)) == key for key in keys)
    assert replies == [
        {
            "role": "assistant",
            "id": sent.reply,
            "state": state,
            "text": words if state == "streaming" else "",
            "html": "" if state == "streaming" else render_reply(words),
            "error_code": code,
            "length": len(words),
            "generation": sent.generation,
            "step": "",
            "versions": None,
            "thumb": "",
            "comment": "",
            "created_at": rows[sent.reply].created_at,
        }
        for sent, (state, code) in zip(sents, states, strict=True)
    ]
    assert (panel.session, panel.running, panel.running_url) == (str(session.pk), str(sents[-1].generation), "")


def test_the_forms_of_a_conversation_come_back_to_the_lesson(world: World) -> None:
    session = sams_session(world)
    end(ask(world, session))
    panel = beside_the_lesson(world)
    page = f"/north/tutor/{session.pk}/"
    assert panel.page_url == page
    assert (panel.ask_url, panel.stop_url, panel.regenerate_url, panel.feedback_url) == (
        f"{page}ask/?page=lesson",
        f"{page}stop/?page=lesson",
        f"{page}regenerate/?page=lesson",
        f"{page}feedback/?page=lesson",
    )


class TestBranches:
    """First? with One. and Uno.; after One. Second? with Two., and beside it Zweite? with Zwei., the newest."""

    @pytest.fixture
    def sents(self, world: World) -> dict[str, Sent]:
        session = sams_session(world)
        sents = {"One.": ask(world, session, "First?")}
        end(sents["One."], "One.")
        sents["Uno."] = ask_anew(world, session, sents["One."].reply)
        end(sents["Uno."], "Uno.")
        sents["Two."] = ask(world, session, "Second?", parent_id=sents["One."].reply)
        end(sents["Two."], "Two.")
        sents["Zwei."] = ask(world, session, "Zweite?", edits_id=sents["Two."].message)
        end(sents["Zwei."], "Zwei.")
        return sents

    def said(self, panel: Panel) -> list[str]:
        return [message["text"] or message["html"].strip() for message in panel.messages]

    def test_the_newest_is_shown(self, world: World, sents: dict[str, Sent]) -> None:
        panel = beside_the_lesson(world)
        assert self.said(panel) == ["First?", "<p>One.</p>", "Zweite?", "<p>Zwei.</p>"]
        assert panel.parent == str(sents["Zwei."].reply)
        assert panel.page_url == f"/north/tutor/{sents['One.'].session}/"

    def test_each_message_leads_to_its_neighbours(self, world: World, sents: dict[str, Sent]) -> None:
        panel = beside_the_lesson(world)

        def to(message: UUID) -> str:
            return f"{panel.here_url}?branch={message}#m-{message}"

        assert [message["versions"] for message in panel.messages] == [
            None,
            {"number": 1, "total": 2, "earlier_url": "", "later_url": to(sents["Uno."].reply)},
            {"number": 2, "total": 2, "earlier_url": to(sents["Two."].message), "later_url": ""},
            None,
        ]

    def test_another_one_goes_on_where_it_ends(self, world: World, sents: dict[str, Sent]) -> None:
        panel = beside_the_lesson(world, look=Look(branch=sents["Uno."].reply))
        assert self.said(panel) == ["First?", "<p>Uno.</p>"]
        assert panel.parent == str(sents["Uno."].reply)
        assert panel.page_url == f"/north/tutor/{sents['One.'].session}/?branch={sents['Uno.'].reply}"
        through_a_question = beside_the_lesson(world, look=Look(branch=sents["Two."].message))
        assert self.said(through_a_question)[2:] == ["Second?", "<p>Two.</p>"]

    def test_one_that_is_none_of_this_conversation_is_as_good_as_absent(
        self, world: World, sents: dict[str, Sent]
    ) -> None:
        assert self.said(beside_the_lesson(world, look=Look(branch=uuid4())))[-1] == "<p>Zwei.</p>"
        panel = beside_the_lesson(world, look=Look(edits=uuid4()))
        assert (self.said(panel)[-1], panel.edits, panel.draft, panel.cancel_url) == ("<p>Zwei.</p>", None, "", "")

    def test_a_question_that_is_edited_is_in_the_box(self, world: World, sents: dict[str, Sent]) -> None:
        question = sents["Two."].message
        panel = beside_the_lesson(world, look=Look(edits=question))
        assert self.said(panel)[2:] == ["Second?", "<p>Two.</p>"]
        assert (panel.edits, panel.draft) == (question, "Second?")
        assert panel.cancel_url == f"{panel.here_url}?branch={question}#m-{question}"
        refused = beside_the_lesson(world, look=Look(edits=question), refusal=Refusal("Too long.", "My words"))
        assert (refused.edits, refused.draft) == (question, "My words")

    def test_a_reply_is_not_edited(self, world: World, sents: dict[str, Sent]) -> None:
        panel = beside_the_lesson(world, look=Look(edits=sents["Two."].reply))
        assert (panel.edits, panel.draft) == (None, "")

    def test_a_reply_that_is_made_in_another_one_is_told(self, world: World, sents: dict[str, Sent]) -> None:
        running = ask_anew(world, ChatSession.objects.get(), sents["Zwei."].reply)
        panel = beside_the_lesson(world, look=Look(branch=sents["Uno."].reply))
        assert panel.running == str(running.generation)
        assert panel.running_url == f"{panel.here_url}?branch={running.reply}#m-{running.reply}"
        assert beside_the_lesson(world).running_url == ""


def test_what_was_thought_of_a_reply_and_who_made_it(world: World) -> None:
    session = sams_session(world)
    for thumb, step in (("up", "cheaper"), ("", "notice")):
        sent = ask(world, session)
        end(sent)
        Generation.objects.filter(pk=sent.generation).update(budget_step=step)
        rate_reply(by=world.sam, message_id=sent.reply, thumb=thumb, comment="Clear.")
    told = [(each["thumb"], each["comment"], each["step"]) for each in beside_the_lesson(world).messages[1::2]]
    # That little is left is told by the meter, not beside a reply.
    assert told == [("up", "Clear.", "cheaper"), ("", "", "")]


DAY_ENDS = datetime(2026, 3, 12, tzinfo=ZoneInfo("Europe/Oslo"))
MONTH_ENDS = datetime(2026, 4, 1, tzinfo=ZoneInfo("Europe/Oslo"))


@pytest.mark.parametrize(
    ("meter", "expected"),
    [
        (None, None),
        (Meter("user", 72, DAY_ENDS, ""), None),
        (
            Meter("user", 83, DAY_ENDS, "notice"),
            {"words": "user", "step": "notice", "percent": 83, "renews": "00:00", "renews_at": DAY_ENDS},
        ),
        (
            Meter("course", 95, MONTH_ENDS, "cheaper"),
            {"words": "course", "step": "cheaper", "percent": 95, "renews": "1 April", "renews_at": MONTH_ENDS},
        ),
        (
            Meter("university", 100, MONTH_ENDS, "stop"),
            {
                "words": "university_used_up",
                "step": "stop",
                "percent": 100,
                "renews": "1 April",
                "renews_at": MONTH_ENDS,
            },
        ),
        (
            Meter("user", 100, DAY_ENDS, "practice"),
            {"words": "user_used_up", "step": "practice", "percent": 100, "renews": "00:00", "renews_at": DAY_ENDS},
        ),
    ],
)
def test_the_allowance_is_told_from_the_notice_on(world: World, meter: Meter | None, expected: dict | None) -> None:
    assert beside_the_lesson(world, meter=meter).allowance == expected


def test_an_older_text_and_a_refused_form_are_told(world: World) -> None:
    ask(world, sams_session(world))
    refusal = Refusal(error="Please wait.", draft="My words")
    panel = beside_the_lesson(world, revision=2, refusal=refusal)
    assert (panel.is_stale, panel.error, panel.draft) == (True, "Please wait.", "My words")
    assert beside_the_lesson(world, revision=1).is_stale is False


def test_a_conversation_on_a_page_of_its_own(world: World) -> None:
    session = sams_session(world)
    sent = ask(world, session)
    end(sent)
    place = {"university": "north", "new_url": "/new/"}
    panel = conversation_panel(queries.conversation(session), **place, revision=1, refusal=Refusal())
    page = f"/north/tutor/{session.pk}/"
    assert facts(panel) == {
        "here_url": page,
        "session": str(session.pk),
        "session_url": "",
        "ask_url": f"{page}ask/",
        "stop_url": f"{page}stop/",
        "regenerate_url": f"{page}regenerate/",
        "feedback_url": f"{page}feedback/",
        "new_url": "/new/",
        "page_url": "",
        "history_url": "/north/tutor/",
        "is_practice": True,
        "is_stale": False,
        "error": "",
        "running": "",
        "running_url": "",
        "parent": str(sent.reply),
        "edits": None,
        "cancel_url": "",
        "allowance": None,
        "draft": "",
        "max_length": 8000,
    }
    assert (len(panel.messages), panel.suggestions) == (2, [])
    assert conversation_panel(queries.conversation(session), **place, revision=2, refusal=Refusal()).is_stale is True


@pytest.mark.parametrize(
    ("objectives", "expected"),
    [
        (
            [],
            ["What is the main idea of this lesson?", "Ask me a question that shows whether I have understood."],
        ),
        (
            ["Explain why samples vary."],
            [
                "Help me to explain why samples vary.",
                "What is the main idea of this lesson?",
                "Ask me a question that shows whether I have understood.",
            ],
        ),
        (
            ["Explain chance", "Compute an error", "Judge a sample"],
            [
                "Help me to explain chance.",
                "Help me to compute an error.",
                "Ask me a question that shows whether I have understood.",
            ],
        ),
    ],
)
def test_suggestions_come_from_the_objectives(objectives: list[str], expected: list[str]) -> None:
    assert suggested_questions(objectives) == expected
