"""Reads about people and universities."""

from dataclasses import dataclass
from typing import Any

from allauth.account.models import EmailAddress
from django.contrib.postgres.fields import ArrayField
from django.db.models import Exists, JSONField, OuterRef, QuerySet
from django.db.models.expressions import RawSQL
from django.db.models.functions import Lower

from tenants.models import ROLE_ORDER, Country, Department, Membership, Role, University, User, UserProfile

# The front door names the universities; past this many it would need a search.
FRONT_LIMIT = 100


@dataclass(frozen=True)
class UniversityCard:
    """A university as the front door shows it. `roles` are words, the highest role first; empty for strangers."""

    name: str
    slug: str
    country: str
    website: str
    accent: str
    roles: str


# By hand, because it is asked with every sign-in that is read: building it through the ORM takes a millisecond.
_PLACES = """
ARRAY(
    SELECT jsonb_build_object('id', place.id, 'slug', place.slug) FROM tenants_university AS place
    WHERE place.is_active AND EXISTS(
        SELECT 1 FROM tenants_membership WHERE university_id = place.id AND user_id = %s
    ) ORDER BY place.name, place.id
)
"""


def with_places(rows: QuerySet[Any], person_id: int) -> QuerySet[Any]:
    """Each with `places`, the person's active universities as `{"id", "slug"}`, by name.

    Within `visits.as_person`: without that their memberships are not to be seen.
    """
    places = RawSQL(_PLACES, [person_id], ArrayField(JSONField()))  # noqa: S611 # a constant and a parameter
    placed: QuerySet[Any] = rows.annotate(places=places)
    return placed


def is_email_available(email: str) -> bool:
    """Neither somebody's sign-in address nor a verified second address of somebody, without regard to case."""
    if user_by_email(email) is not None:
        return False
    return not EmailAddress.objects.filter(email=email.lower(), verified=True).exists()


def user_by_email(email: str) -> User | None:
    return User.objects.alias(key=Lower("email")).filter(key=email.lower()).first()


def has_verified_email(user: User) -> bool:
    return bool(EmailAddress.objects.filter(user=user, verified=True).exists())


def profile_of(user: User) -> UserProfile:
    """An unsaved, empty one for people who never filled it in."""
    return UserProfile.objects.filter(user=user).first() or UserProfile(user=user)


def universities_of(user: User) -> QuerySet[University]:
    """Those that the person belongs to, by name, each with `held_roles`; for platform administrators all."""
    rows = University.objects.visible_to(user).with_roles_of(user)
    return rows.select_related("country").order_by("name", "pk")


def universities_for_front(user: User) -> list[UniversityCard]:
    return [_card(university) for university in universities_of(user)[:FRONT_LIMIT]]


def listed_universities() -> list[UniversityCard]:
    """What strangers see: every active university, by name."""
    rows = University.objects.filter(is_active=True).select_related("country")
    return [_card(university) for university in rows[:FRONT_LIMIT]]


def open_universities(user: User | None = None) -> list[UniversityCard]:
    """Those that anybody may join, by name, without those that `user` belongs to already."""
    rows = joinable_universities()
    if user is not None:
        rows = rows.exclude(Exists(Membership.objects.filter(university=OuterRef("pk"), user=user)))
    return [_card(university) for university in rows[:FRONT_LIMIT]]


def joinable_universities() -> QuerySet[University]:
    return University.objects.open_to_join().select_related("country")


def memberships_of(user: User) -> list[dict[str, str]]:
    """Where the person belongs: names of universities and words for roles."""
    rows = user.memberships.filter(university__is_active=True).select_related("university").order_by("university__name")
    return [{"university": row.university.name, "role": row.get_role_display()} for row in rows]


def departments_of(university: University) -> QuerySet[Department]:
    return university.departments.order_by("code")


def countries() -> QuerySet[Country]:
    return Country.objects.order_by("name")


def highest_of(roles: list[str]) -> Role | None:
    return max((Role(role) for role in roles), key=ROLE_ORDER.index, default=None)


def _card(university: University) -> UniversityCard:
    held = sorted(getattr(university, "held_roles", []), key=ROLE_ORDER.index, reverse=True)
    return UniversityCard(
        name=university.name,
        slug=university.slug,
        country=university.country.name,
        website=university.website,
        accent=university.accent,
        roles=", ".join(str(Role(role).label) for role in held),
    )
