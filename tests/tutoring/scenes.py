"""Conversations for tests, begun through the product's own actions."""

from uuid import UUID, uuid4

from lms.learning.access import Lesson, access_lesson
from prompts.actions.library import load_library
from tests.world import World
from tutoring.actions.budgets import Spent
from tutoring.actions.generations import Lease, Outcome, Progress, finish_generation, save_progress
from tutoring.actions.sending import Sent, regenerate, send_message
from tutoring.actions.sessions import start_session
from tutoring.models import ChatSession
from tutoring.providers.protocol import Usage

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


def lease_of(sent: Sent, **changes: object) -> Lease:
    held = {"university": sent.university, "generation": sent.generation, "reply": sent.reply, "owner": ME}
    return Lease(**(held | changes))


def save(sent: Sent, body: str, **lease: object) -> bool:
    """The text so far of a reply that `ME` makes; whether it may go on."""
    row = Progress(lease_of(sent, **lease), body, provider="practice", model="", usage=Usage(), tries=0)
    return sent.generation in save_progress([row])


def end(
    sent: Sent, body: str = "A reply.", state: str = "complete", *, lease: Lease | None = None, **outcome: object
) -> bool:
    """The end of a reply that `ME` makes, which has cost nothing; whether this was what ended it."""
    outcome = {"spent": Spent("practice", "", Usage(), None)} | outcome
    return finish_generation(lease or lease_of(sent), body, Outcome(state=state, **outcome))


def ask_anew(world: World, session: ChatSession, reply: UUID, **arguments: object) -> Sent:
    arguments = {"by": world.sam, "key": str(uuid4()), "owner": ME} | arguments
    return regenerate(session_id=session.pk, reply_id=reply, **arguments)
