"""Whether people may still be where they came in: asked again for many open connections at once."""

from collections import defaultdict
from collections.abc import Collection
from dataclasses import dataclass, field
from uuid import UUID

from django.contrib.sessions.models import Session
from django.utils import timezone

from tenants.errors import DomainError, NotSignedIn, NotVisible
from tenants.models import Membership, TokenFamily, University, User
from tenants.tokens import family_of
from tenants.visits import within


@dataclass(frozen=True)
class Standing:
    """What an open connection rests on: a person, a sign-in of theirs by page or by token, and their university.

    `basis` is the person's `sign_in_basis` of the sign-in's own time.
    """

    person_id: int
    university_id: int
    basis: str = field(repr=False)
    session_key: str | None = field(default=None, repr=False)
    family_id: UUID | None = None


def standing_by_session(person: User, university_id: int, session_key: str | None) -> Standing:
    """`person` is the row that the session was compared with when it was let in."""
    return Standing(person.pk, university_id, person.sign_in_basis, session_key=session_key)


def standing_by_token(person: User, university_id: int, access_token: str) -> Standing:
    """`person` is the row that was read with the token."""
    return Standing(person.pk, university_id, person.sign_in_basis, family_id=family_of(access_token))


def ended(standings: Collection[Standing]) -> dict[Standing, DomainError]:
    """Those that hold no more, each with what there is to say: `NotSignedIn`, or `NotVisible` of the university.

    Four queries and one for each university, however many there are. A session that is another person's by now has
    another key, so whose it is need not be read again.
    """
    people = {person.pk: person for person in _active(standings)}
    keys, families = _sessions(standings), _families(standings)
    strangers = _strangers(standings, people)
    found: dict[Standing, DomainError] = {}
    for each in standings:
        person = people.get(each.person_id)
        signed_in = person and person.sign_in_basis == each.basis
        if not (signed_in and (each.session_key in keys or each.family_id in families)):
            found[each] = NotSignedIn()
        elif each in strangers:
            found[each] = NotVisible()
    return found


def _active(standings: Collection[Standing]) -> list[User]:
    ids = {each.person_id for each in standings}
    return list(User.objects.filter(pk__in=ids, is_active=True).only("password", "times_closed", "is_platform_admin"))


def _sessions(standings: Collection[Standing]) -> set[str]:
    keys = {each.session_key for each in standings if each.session_key}
    live = Session.objects.filter(session_key__in=keys, expire_date__gt=timezone.now())
    return set(live.values_list("session_key", flat=True))


def _families(standings: Collection[Standing]) -> set[UUID]:
    ids = {each.family_id for each in standings if each.family_id}
    live = TokenFamily.objects.filter(pk__in=ids, revoked_at=None, expires_at__gt=timezone.now())
    return set(live.values_list("pk", flat=True))


def _strangers(standings: Collection[Standing], people: dict[int, User]) -> set[Standing]:
    """Those whose person does not belong to the university any more, or whose university is closed."""
    by_university: dict[int, list[Standing]] = defaultdict(list)
    for each in standings:
        by_university[each.university_id].append(each)
    everywhere = {pk for pk, person in people.items() if person.is_platform_admin}
    strangers = set(standings)
    for university_id in University.objects.filter(pk__in=by_university, is_active=True).values_list("pk", flat=True):
        theirs = by_university[university_id]
        at_home = everywhere | _members(university_id, {each.person_id for each in theirs})
        strangers -= {each for each in theirs if each.person_id in at_home}
    return strangers


def _members(university_id: int, people: Collection[int]) -> set[int]:
    with within(university_id):
        rows = Membership.objects.filter(university=university_id, user__in=people)
        return set(rows.values_list("user", flat=True))
