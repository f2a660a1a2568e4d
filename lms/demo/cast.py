"""The people and places of the demonstration."""

from collections.abc import Iterator
from dataclasses import dataclass

from allauth.account.models import EmailAddress

from tenants.models import Country, Membership, Role, University, User

PASSWORD = "colloquy-demo"  # noqa: S105 # printed for whoever tries the site


@dataclass(frozen=True)
class Person:
    email: str
    full_name: str
    university: str
    role: Role
    does: str


PEOPLE = [
    Person("sam@north.example", "Sam Sorensen", "north", Role.STUDENT, "studies at North"),
    Person("tess@north.example", "Tess Tanaka", "north", Role.INSTRUCTOR, "teaches at North and writes in /admin/"),
    Person("ada@north.example", "Ada Adeyemi", "north", Role.UNIVERSITY_ADMIN, "administers North"),
    Person("oona@south.example", "Oona Okafor", "south", Role.STUDENT, "studies at South"),
]
PLATFORM_ADMIN = ("pia@platform.example", "Pia Petrov")


def sign_ins() -> Iterator[str]:
    for person in PEOPLE:
        yield f"{person.email:<22} {person.full_name:<14} {person.does}"
    yield f"{PLATFORM_ADMIN[0]:<22} {PLATFORM_ADMIN[1]:<14} administers the platform"
    yield f"with the password  {PASSWORD}"


def make_universities() -> dict[str, University]:
    """Slug to university. What exists is left as it is, here and below."""
    norway, _ = Country.objects.get_or_create(iso_code="NO", defaults={"name": "Norway", "region": "Europe"})
    chile, _ = Country.objects.get_or_create(iso_code="CL", defaults={"name": "Chile", "region": "South America"})
    north, _ = University.objects.get_or_create(
        slug="north",
        defaults={
            "name": "University of the North",
            "short_code": "NORTH",
            "country": norway,
            "time_zone": "Europe/Oslo",
            "accent": University.Accent.TEAL,
            "is_open_to_join": True,
        },
    )
    south, _ = University.objects.get_or_create(
        slug="south",
        defaults={
            "name": "Southern University",
            "short_code": "SOUTH",
            "country": chile,
            "time_zone": "America/Santiago",
            "accent": University.Accent.PLUM,
        },
    )
    return {"north": north, "south": south}


def make_people(universities: dict[str, University]) -> dict[str, User]:
    """E-mail address to person, each with a verified address."""
    people = {}
    for person in PEOPLE:
        user = User.objects.filter(email__iexact=person.email).first()
        if user is None:
            user = _make_user(person.email, person.full_name)
            Membership.objects.create(user=user, university=universities[person.university], role=person.role)
        people[person.email] = user
    if not User.objects.filter(email__iexact=PLATFORM_ADMIN[0]).exists():
        _make_user(*PLATFORM_ADMIN, is_platform_admin=True)
    return people


def _make_user(email: str, full_name: str, *, is_platform_admin: bool = False) -> User:
    user = User.objects.create_user(email, PASSWORD, full_name=full_name, is_platform_admin=is_platform_admin)
    EmailAddress.objects.create(user=user, email=email, verified=True, primary=True)
    return user
