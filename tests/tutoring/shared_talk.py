"""A conversation to be shared, with rows of every kind, of a student whose traces are easily found."""

from dataclasses import dataclass, field

from lms.learning.access import access_lesson
from prompts.actions.library import load_library
from tenants.models import User
from tests import factories
from tests.world import World
from tutoring.actions.sessions import start_session
from tutoring.models import ChatSession, Message, TutorPolicy

CANARY_ID = 918273645
LESSON, COURSE = "Reading: why samples vary", "Thinking with samples"


@dataclass
class Talk:
    """Cana's conversation about the item of the world's course; `rows` by the words that were said."""

    world: World
    cana: User
    session: ChatSession
    rows: dict[str, Message] = field(default_factory=dict)

    def say(self, role: str, body: str, after: str = "", state: str = "complete") -> Message:
        """One more message; it answers the one with the words `after`, or is a first question."""
        message = Message.objects.create(
            university=self.session.university,
            session=self.session,
            seq=len(self.rows) + 1,
            role=role,
            body=body,
            state=state,
            parent=self.rows.get(after),
        )
        self.rows[body] = message
        return message

    @property
    def path(self) -> str:
        return f"/north/tutor/{self.session.pk}/share/"

    @property
    def api(self) -> str:
        return f"/chat/sessions/{self.session.pk}/shares"

    def canaries(self) -> list[str]:
        """What must stand on no page that others read."""
        rows = [str(message.pk) for message in self.rows.values()]
        return [self.cana.email, "cana@", "Canary", str(CANARY_ID), str(self.session.pk), *rows]

    def policy(self, **fields: object) -> None:
        TutorPolicy.objects.update_or_create(university=self.world.north, defaults=fields)


def begin_talk(world: World) -> Talk:
    """Nothing was said yet."""
    load_library()
    cana = factories.make_user("cana@north.example", "Canary Name", at=world.north, id=CANARY_ID)
    factories.make_enrollment(cana, world.offering)
    lesson = access_lesson(cana, university="north", offering=world.offering.pk, item=world.item.pk)
    session = start_session(by=cana, lesson=lesson)
    session.title = "Why <so>?"
    session.save()
    return Talk(world, cana, session)


def make_talk(world: World) -> Talk:
    """One question with its reply, and a second question whose reply was stopped."""
    talk = begin_talk(world)
    talk.say("user", "Why <so>?")
    talk.say("assistant", "By *chance*. ![x](https://evil.example/x.png)", "Why <so>?")
    talk.say("user", "And then?", "By *chance*. ![x](https://evil.example/x.png)")
    talk.say("assistant", "Then it", "And then?", "stopped")
    return talk
