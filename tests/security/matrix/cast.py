"""Two universities with a row in every table, each text of which holds a word that nobody else's has."""

import hashlib
from dataclasses import dataclass, field
from datetime import timedelta
from secrets import token_hex
from typing import Any

from django.core.files.base import ContentFile
from django.db import connection, transaction
from django.utils import timezone

from lms.courses.actions.content_types import load_content_types
from lms.courses.models import ContentItem, MediaAsset, Module, Prerequisite
from lms.learning.models import ItemProgress, SelfCheck
from prompts.actions.library import load_library
from prompts.actions.versions import insert_prompt, insert_version
from prompts.models import PromptLabel, PromptLabelMove
from tenants import audit
from tenants.models import Department, Role, University, User
from tests import factories
from tests.database import superuser_of
from tests.learning.samples import make_quiz, question
from tutoring.models import (
    Budget,
    ChatSession,
    Feedback,
    Generation,
    IdempotencyKey,
    Message,
    Share,
    TutorPolicy,
    UsageEntry,
)
from tutoring.models.sharing import hash_token

NOBODY = "nobody"
MEDIA_PATH = "images/figure.png"
_PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 32


@dataclass
class Home:
    """One university. `word` stands in everything of it, and in nothing else."""

    university: University
    word: str
    # To search by: what is found is told by `word`, and not by an answer that repeats what was asked.
    term: str
    course: Any = None
    offering: Any = None
    module: Any = None
    item: Any = None
    quiz: Any = None
    rows: dict[str, Any] = field(default_factory=dict)


@dataclass
class Belongings:
    """What is one student's own. `word` is for nobody else."""

    user: User
    home: Home
    word: str
    token: str
    rows: dict[str, Any] = field(default_factory=dict)


@dataclass
class Cast:
    """Sam and Zoe study at North, where every role has somebody; Oona studies at South, and Otto administers it."""

    north: Home
    south: Home
    people: dict[str, User | None]
    students: dict[str, Belongings]

    def home_of(self, person: str) -> Home | None:
        return {"oona": self.south, "otto": self.south, NOBODY: None, "pia": None}.get(person, self.north)


def make_cast() -> Cast:
    _use_long_numbers()
    with transaction.atomic():
        return _make_cast()


def _use_long_numbers() -> None:
    """So that a key is told from any other number of a page."""
    with superuser_of(connection.settings_dict["NAME"]) as superuser:
        superuser.execute("SELECT setval(seqrelid::regclass, 100000 + seqrelid::bigint % 1000) FROM pg_sequence")


def _make_cast() -> Cast:
    load_content_types()
    load_library()
    north, south = (_home(slug) for slug in ("north", "south"))
    people: dict[str, User | None] = {
        NOBODY: None,
        "sam": _person("sam", north, Role.STUDENT),
        "zoe": _person("zoe", north, Role.STUDENT),
        "tara": _person("tara", north, Role.TA),
        "tess": _person("tess", north, Role.INSTRUCTOR),
        "dan": _person("dan", north, Role.DEPARTMENT_ADMIN),
        "ada": _person("ada", north, Role.UNIVERSITY_ADMIN),
        "oona": _person("oona", south, Role.STUDENT),
        "otto": _person("otto", south, Role.UNIVERSITY_ADMIN),
        "pia": factories.make_user("pia@platform.example", "Pia Petrov", is_platform_admin=True),
    }
    for home in (north, south):
        _fill(home, people["otto" if home is south else "ada"])
    places = {"sam": north, "zoe": north, "oona": south}
    students = {name: _belongings(people[name], home) for name, home in places.items()}
    return Cast(north, south, people, students)


def _word() -> str:
    return f"canary{token_hex(8)}"


def _home(slug: str) -> Home:
    return Home(factories.make_university(slug, f"University {slug.title()}"), _word(), _word())


def _person(name: str, home: Home, role: Role) -> User:
    return factories.make_user(f"{name}@{home.university.slug}.example", name.title(), at=home.university, role=role)


def _fill(home: Home, author: Any) -> None:
    place, word = home.university, f"{home.word} {home.term}"
    department = Department.objects.create(university=place, code="D1", name=f"Department {word}")
    home.course = factories.make_course(
        place,
        "C1",
        f"Course {word}",
        slug=f"course-of-{place.slug}",
        department=department,
        description=f"About {word}.",
    )
    other = factories.make_course(place, "C0", f"Before {word}", slug="before")
    prerequisite = Prerequisite.objects.create(
        university=place, course=home.course, required_course=other, kind="recommended"
    )
    home.offering = factories.make_offering(home.course, f"Term {word}")
    root = factories.make_module(home.course, None, f"Root {word}", type=Module.Type.COURSE_ROOT)
    home.module = factories.make_module(home.course, root, f"Module {word}")
    home.item = factories.make_text(home.module, f"Item {word}", f"Body {word}", prompt_name="tutor/lesson")
    home.quiz = _quiz(home)
    asset = MediaAsset(
        university=place, course=home.course, path=MEDIA_PATH, media_type="image/png", size_bytes=len(_PNG)
    )
    content = _PNG + home.word.encode()
    asset.sha256 = hashlib.sha256(content).hexdigest()
    asset.file.save("figure.png", ContentFile(content))
    prompt = insert_prompt(place, "own/prompt", "text", description=f"Prompt {word}")
    version = insert_version(prompt, f"Say {word}.", {}, f"Because of {word}", by=author)
    shared = {"university": place, "prompt": prompt}
    PromptLabel.objects.create(name="production", version=version, moved_by=author, **shared)
    PromptLabelMove.objects.create(label="production", to_version=version, moved_by=author, **shared)
    policy = TutorPolicy.objects.create(university=place, when_used_up="practice", sharing="link", share_days=90)
    audit.record(by=author, action=f"test.{home.word}", subject=home.course, university=place)
    home.rows = {
        "department": department, "university": place, "course": home.course, "module": home.module,
        "contentitem": home.item, "tutorpolicy": policy, "prerequisite": prerequisite,
    }  # fmt: skip


def _quiz(home: Home) -> ContentItem:
    data = {"introduction": home.word, "questions": [question("one", "single", "a", "b")]}
    key = {"one": {"correct": ["b"], "explanation": f"Because {home.word}"}}
    return make_quiz(home.module, title=f"Quiz {home.word}", data=data, answer_key=key)


def _belongings(user: Any, home: Home) -> Belongings:
    mine = Belongings(user, home, _word(), token_hex(11))
    words, place = f"{mine.word} {home.word} {home.term}", {"university": home.university}
    enrollment = factories.make_enrollment(user, home.offering, last_item=home.item)
    ItemProgress.objects.create(enrollment=enrollment, content_item=home.item, **place)
    SelfCheck.objects.create(enrollment=enrollment, content_item=home.quiz, answers={"one": ["a"]}, **place)
    session = ChatSession.objects.create(
        user=user, offering=home.offering, content_item=home.item, content_context=_context(words), title=words, **place
    )
    silent = ChatSession.objects.create(
        user=user, offering=home.offering, content_item=home.quiz, content_context=_context(words), title=words, **place
    )
    question = Message.objects.create(session=session, seq=1, role="user", body=f"Why {words}?", **place)
    reply = Message.objects.create(
        session=session, seq=2, role="assistant", state="complete", body=f"So {words}.", parent=question, **place
    )
    ended = {"state": "complete", "owner": "gone", "lease_until": timezone.now(), "finished_at": timezone.now()}
    generation = Generation.objects.create(session=session, message=reply, **ended, **place)
    feedback = Feedback.objects.create(message=reply, thumb="up", comment=f"Thanks {home.word}", **place)
    IdempotencyKey.objects.create(
        user=user, key=f"key-{mine.word}", body_hash="0" * 64, answer={"said": words}, **place
    )
    snapshot = {"lesson": words, "course": words, "messages": [{"role": "user", "body": words, "state": "complete"}]}
    share = Share.objects.create(
        session=session, token_hash=hash_token(mine.token), title=words, snapshot=snapshot,
        expires_at=timezone.now() + timedelta(days=3), **place,
    )  # fmt: skip
    month = timezone.now().date().replace(day=1)
    Budget.objects.create(scope="user", subject_id=user.pk, period_start=timezone.now().date(), **place)
    if not Budget.objects.filter(scope="university", **place).exists():
        Budget.objects.create(scope="university", subject_id=home.university.pk, period_start=month, **place)
    usage = UsageEntry.objects.create(user=user, course=home.course, provider=f"p{home.word}"[:20], day=month, **place)
    mine.rows = {
        "session": session, "silent": silent, "question": question, "reply": reply, "generation": generation,
        "share": share,
        "enrollment": enrollment, "feedback": feedback, "usageentry": usage, "user": user,
        "membership": user.memberships.get(),
    }  # fmt: skip
    return mine


def _context(words: str) -> dict[str, Any]:
    return {
        "title": words, "content": words, "content_type": "text", "course_title": words, "module_path": words,
        "objectives": [words], "university_name": "University", "language": "en", "hint_level": "hints", "revision": 1,
        "revision_hash": "0" * 64,
    }  # fmt: skip
