"""What the tutor's panel is given to show."""

from uuid import UUID

import pytest

from lms.courses.markdown import render_reply
from tests.tutoring.scenes import ME, ask, sams_lesson, sams_session
from tests.world import World
from tutoring import queries
from tutoring.actions.generations import Lease, Outcome, finish_generation, save_progress
from tutoring.actions.sending import Sent
from tutoring.models import Message
from tutoring.panel import Panel, Refusal, conversation_panel, lesson_panel, suggested_questions

KEYS = {"key", "retry_key"}


def lease_of(sent: Sent) -> Lease:
    return Lease(generation=sent.generation, reply=sent.reply, owner=ME)


def beside_the_lesson(world: World, *, revision: int = 1, refusal: Refusal | None = None) -> Panel:
    return lesson_panel(
        queries.latest_conversation(world.sam, sams_lesson(world)),
        university="north",
        offering=world.offering.pk,
        item=world.item.pk,
        objectives=world.item.objectives,
        revision=revision,
        refusal=refusal or Refusal(),
    )


def facts(panel: Panel) -> dict:
    """All of it but the keys, which are new each time."""
    return {name: value for name, value in vars(panel).items() if name not in KEYS | {"suggestions", "messages"}}


def test_before_the_first_question(world: World) -> None:
    panel = beside_the_lesson(world)
    place = f"/north/learn/{world.offering.pk}/{world.item.pk}"
    assert facts(panel) == {
        "session": "",
        "session_url": f"{place}/new/",
        "ask_url": f"{place}/ask/",
        "stop_url": "",
        "new_url": f"{place}/new/",
        "page_url": "",
        "history_url": "/north/tutor/",
        "is_practice": True,
        "is_stale": False,
        "error": "",
        "running": "",
        "draft": "",
        "max_length": 8000,
    }
    assert panel.messages == []
    assert [suggestion["text"] for suggestion in panel.suggestions] == suggested_questions(world.item.objectives)


def test_each_form_has_a_key_of_its_own(world: World) -> None:
    panels = [beside_the_lesson(world) for _ in range(2)]
    keys = [key for panel in panels for key in (panel.key, panel.retry_key, *(s["key"] for s in panel.suggestions))]
    assert len(set(keys)) == len(keys) == 10
    assert all(str(UUID(key)) == key for key in keys)


def test_questions_and_replies_in_each_state(world: World) -> None:
    session = sams_session(world)
    words = "A *reply* with <b>markup</b>."
    outcomes = [Outcome(state="complete"), Outcome(state="stopped"), Outcome(state="failed", code="timeout")]
    sents = []
    for number, outcome in enumerate(outcomes):
        sents.append(ask(world, session, f"Question <{number}>?"))
        assert finish_generation(lease_of(sents[-1]), words, outcome)
    sents.append(ask(world, session, "Question <3>?"))
    assert save_progress(lease_of(sents[-1]), words)

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
            "created_at": rows[sent.message].created_at,
        }
        for number, sent in enumerate(sents)
    ]
    replies = [message for message in panel.messages if message["role"] == "assistant"]
    states = [("complete", ""), ("stopped", ""), ("failed", "timeout"), ("streaming", "")]
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
            "question": f"Question <{number}>?",
            "created_at": rows[sent.reply].created_at,
        }
        for number, (sent, (state, code)) in enumerate(zip(sents, states, strict=True))
    ]
    assert (panel.session, panel.running) == (str(session.pk), str(sents[-1].generation))
    assert (panel.stop_url, panel.page_url) == (
        f"/north/tutor/{session.pk}/stop/",
        f"/north/tutor/{session.pk}/",
    )


def test_an_older_text_and_a_refused_form_are_told(world: World) -> None:
    ask(world, sams_session(world))
    refusal = Refusal(error="Please wait.", draft="My words")
    panel = beside_the_lesson(world, revision=2, refusal=refusal)
    assert (panel.is_stale, panel.error, panel.draft) == (True, "Please wait.", "My words")
    assert beside_the_lesson(world, revision=1).is_stale is False


def test_a_conversation_on_a_page_of_its_own(world: World) -> None:
    session = sams_session(world)
    sent = ask(world, session)
    finish_generation(lease_of(sent), "A reply.", Outcome(state="complete"))
    place = {"university": "north", "new_url": "/new/"}
    panel = conversation_panel(queries.conversation(session), **place, revision=1, refusal=Refusal())
    assert facts(panel) == {
        "session": str(session.pk),
        "session_url": "",
        "ask_url": f"/north/tutor/{session.pk}/ask/",
        "stop_url": f"/north/tutor/{session.pk}/stop/",
        "new_url": "/new/",
        "page_url": "",
        "history_url": "/north/tutor/",
        "is_practice": True,
        "is_stale": False,
        "error": "",
        "running": "",
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
