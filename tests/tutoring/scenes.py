"""Conversations for tests, begun through the product's own actions."""

from uuid import uuid4

from lms.learning.access import Lesson, access_lesson
from prompts.actions.library import load_library
from tests.world import World
from tutoring.actions.sending import Sent, send_message
from tutoring.actions.sessions import start_session
from tutoring.models import ChatSession

ME = "test-process"


def sams_lesson(world: World) -> Lesson:
    return access_lesson(world.sam, university="north", offering=world.offering.pk, item=world.item.pk)


def sams_session(world: World) -> ChatSession:
    """With the prompts that ship."""
    load_library()
    return start_session(by=world.sam, lesson=sams_lesson(world))


def ask(world: World, session: ChatSession, text: str = "Why do samples vary?", **arguments: object) -> Sent:
    arguments = {"by": world.sam, "key": str(uuid4()), "owner": ME} | arguments
    return send_message(session_id=session.pk, text=text, **arguments)
