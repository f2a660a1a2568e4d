"""A third university in which every name, title and text is poisoned, apart from the two that other tests look at."""

import json
from dataclasses import dataclass
from pathlib import Path
from uuid import uuid4

from tests.e2e.poison import TEXT, name
from tests.e2e.site import SAM, Site
from tests.fakes.claude import Answer

COURSE = "/west/courses/poisoned/"
STUDENT, TEACHER, ADMIN = (f"{role}@west.example" for role in ("student", "instructor", "university_admin"))
FILM = "dQw4w9WgXcQ"
_KINDS = {
    "text": {},
    "imported": {"type": "text"},
    "video": {"youtube": FILM, "transcript": TEXT},
    "quiz": {
        "questions": [
            {
                "id": "q1",
                "kind": "single",
                "prompt": TEXT,
                "options": [{"id": "a", "text": TEXT, "correct": True}, {"id": "b", "text": name("option")}],
                "explanation": TEXT,
            },
            {
                "id": "q2",
                "kind": "matching",
                "prompt": name("prompt"),
                "options": [{"id": "a", "text": name("left")}, {"id": "b", "text": name("right")}],
                "answer": [["a", "b"]],
            },
        ]
    },
    "engineering_lab": {
        "language": "python",
        "starter_code": TEXT,
        "steps": [{"title": name("step"), "body": TEXT}],
    },
    "assignment": {"submission": "text"},
    "resource": {"url": "https://resource.evil.example/a.png"},
}


@dataclass
class West:
    """`lessons` are paths by the kind of what they hold."""

    site: Site
    lessons: dict[str, str]

    def ask(self, kind: str, question: str, reply: str) -> str:
        """The path of a new conversation of the student's, with a finished reply."""
        lesson = self.lessons[kind]
        self.site.claude.will(Answer([reply]))
        assert self.site.post(STUDENT, f"{lesson}new/").status_code == 302
        assert self.site.post(STUDENT, f"{lesson}ask/", key=str(uuid4()), text=question).status_code == 302
        return self.site.find(STUDENT, lesson, r'href="(/west/tutor/[0-9a-f-]{36}/)"')

    def share(self, conversation: str) -> str:
        """Its address, for everybody."""
        made = self.site.post(STUDENT, f"{conversation}share/", days="7", shown_name=name("shown")[:80])
        address, *_ = [part for part in made.text.split('"') if part.startswith(f"{self.site.url}/share/")]
        return address

    def comment(self, conversation: str) -> None:
        """The student's thumb down for the reply, with words."""
        reply = self.site.find(STUDENT, conversation, r'name="reply" value="([0-9a-f-]{36})"')
        rated = self.site.post(
            STUDENT, f"{conversation}feedback/", reply=reply, thumb="down", comment=f"={name('comment')}"
        )
        assert rated.status_code == 302

    def pages_of_student(self, conversation: str) -> list[str]:
        talk = [conversation, *(f"{conversation}{page}/" for page in ("share", "delete"))]
        own = ["/accounts/profile/", "/accounts/email/", "/accounts/password/change/", "/accounts/logout/"]
        return ["/", "/west/", COURSE, "/west/tutor/", *talk, *self.lessons.values(), *own]

    def pages_of_staff(self) -> list[str]:
        """The admin's, with a row of each kind in every way that it can be looked at."""
        kept = ["courses_course", "courses_contentitem", "tenants_department", "tenants_membership"]
        seen = ["tutoring_feedback", "tutoring_usageentry", "tutoring_generation", "tutoring_tutorpolicy"]
        others = ["tenants_user", "tenants_university", "tenants_auditentry", "learning_enrollment"]
        rows = {table: self._key(table) for table in [*kept, *seen, "courses_module"]}
        lists = [_admin(table) for table in [*kept, *seen, *others]]
        course, place = rows["courses_course"], self._one("SELECT id FROM tenants_university WHERE slug = 'west'")
        student = self._one("SELECT id FROM tenants_user WHERE email = %s", STUDENT)
        return [
            *lists,
            f"/admin/courses/module/?course={course}",
            f"/admin/courses/module/add/?course={course}",
            f"/admin/courses/contentitem/add/?module={rows['courses_module']}&type=text",
            f"/admin/tenants/university/{place}/change/",
            f"/admin/tenants/user/{student}/change/",
            *(f"{_admin(table)}{key}/change/" for table, key in rows.items()),
            *(f"{_admin(table)}{rows[table]}/history/" for table in [*kept, "courses_module"]),
            *(f"{_admin(table)}{rows[table]}/delete/" for table in [*kept, "courses_module"]),
        ]

    def editors(self, *kinds: str) -> list[str]:
        """The admin's pages of the items in the lessons of these kinds."""
        items = [self.lessons[kind].rstrip("/").rpartition("/")[2] for kind in kinds]
        return [f"{_admin('courses_contentitem')}{item}/change/" for item in items]

    def _key(self, table: str) -> str:
        """Of the newest row of a table of West's."""
        return self._one(
            f"SELECT row.id FROM {table} AS row JOIN tenants_university AS place ON place.id = row.university_id"
            " WHERE place.slug = 'west' ORDER BY row.id DESC LIMIT 1"
        )

    def _one(self, query: str, *values: str) -> str:
        [[found]] = self.site.sql(query, *values)
        return str(found)


def _admin(table: str) -> str:
    return f"/admin/{table.replace('_', '/')}/"


def make_west(site: Site, folder: Path) -> West:
    site.sql(_UNIVERSITY, name("university"))
    for email in (STUDENT, TEACHER, ADMIN):
        role = email.partition("@")[0]
        site.sql(_PERSON, email, name(role), role)
    site.sql(_DEPARTMENT, name("department"))
    printed = site.manage("import_course", str(_write_course(folder)), "--university", "west")
    assert "a new draft" in printed, printed
    site.sql(_IMPORTED, TEXT)
    [[offering]] = site.sql(_PUBLISHED, name("term")[:60])
    assert site.post(STUDENT, f"/west/offerings/{offering}/enroll/").status_code == 302
    lessons = site.lessons(STUDENT, COURSE)
    return West(site, {kind: lessons[name(kind)] for kind in _KINDS})


def _write_course(folder: Path) -> Path:
    course = {"title": name("course"), "code": name("code")[:40], "slug": "poisoned", "objectives": [name("aim")]}
    _write(folder / "course.md", course, TEXT)
    _write(folder / "01-unit" / "module.md", {"title": name("unit"), "type": "unit"}, "")
    for number, (kind, fields) in enumerate(_KINDS.items(), 1):
        item = {"title": name(kind), "type": kind, "objectives": [name("objective")], **fields}
        _write(folder / "01-unit" / f"{number}-{kind}.md", item, TEXT)
    return folder


def _write(path: Path, fields: dict[str, object], body: str) -> None:
    """What JSON says, YAML says too."""
    path.parent.mkdir(parents=True, exist_ok=True)
    lines = [f"{field}: {json.dumps(value)}" for field, value in fields.items()]
    path.write_text("\n".join(["---", *lines, "---", "", body]))


_UNIVERSITY = """
    WITH west AS (
        INSERT INTO tenants_university (
            slug, name, short_code, country_id, time_zone, locale, website, is_active, accent, is_open_to_join, policy,
            created_at
        )
        SELECT 'west', %s, 'WEST', country_id, time_zone, locale, website, true, accent, false, policy, now()
        FROM tenants_university WHERE slug = 'north'
        RETURNING id
    )
    INSERT INTO tutoring_tutorpolicy (university_id, when_used_up, sharing, share_days)
    SELECT id, 'practice', 'link', 90 FROM west
"""
_PERSON = f"""
    WITH person AS (
        INSERT INTO tenants_user (
            password, email, full_name, locale, time_zone, is_active, is_platform_admin, current_streak_days,
            times_closed, created_at
        )
        SELECT password, %s, %s, locale, time_zone, true, false, 0, 0, now() FROM tenants_user WHERE email = '{SAM}'
        RETURNING id, email
    ), address AS (
        INSERT INTO account_emailaddress (user_id, email, verified, "primary")
        SELECT id, email, true, true FROM person
    )
    INSERT INTO tenants_membership (user_id, university_id, role, created_at)
    SELECT person.id, place.id, %s, now() FROM person, tenants_university AS place WHERE place.slug = 'west'
"""
_DEPARTMENT = """
    INSERT INTO tenants_department (university_id, code, name)
    SELECT id, 'PSN', %s FROM tenants_university WHERE slug = 'west'
"""
# As the import of an Open edX course leaves it.
_IMPORTED = """
    UPDATE courses_contentitem SET data = jsonb_build_object('format', 'html', 'body', %s::text)
    WHERE title LIKE '[imported]%%' AND university_id = (SELECT id FROM tenants_university WHERE slug = 'west')
"""
_PUBLISHED = """
    WITH course AS (
        UPDATE courses_course SET status = 'published' WHERE slug = 'poisoned' RETURNING id, university_id
    )
    INSERT INTO courses_courseoffering (university_id, course_id, term, hint_policy)
    SELECT university_id, id, %s, 'guide' FROM course RETURNING id
"""
