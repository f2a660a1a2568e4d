"""One row for one person, or a refusal. Absent and foreign are the same `NotVisible`."""

from tenants.entering import enter
from tenants.errors import NotAllowed, NotVisible
from tenants.models import ROLE_ORDER, Role, University, User


def access_university(user: User, slug: str) -> University:
    """The university for one of its members, of whatever role; `held_roles` lists them.

    A visit that comes here enters it.
    """
    enter(slug)
    university = University.objects.visible_to(user).with_roles_of(user).filter(slug=slug).first()
    if university is None:
        raise NotVisible
    return university


def access_joinable_university(user: User, slug: str) -> University:
    """One that anybody may join, or that the person belongs to already."""
    university = University.objects.open_to_join().filter(slug=slug).first()
    return university or access_university(user, slug)


def has_role(user: User, university_id: int, least: Role) -> bool:
    """Whether the person holds `least` or a higher role there; one query, none for platform administrators."""
    if user.is_platform_admin:
        return True
    return user.memberships.filter(university=university_id).at_least(least).exists()


def require_role(user: User, university_id: int, least: Role) -> None:
    """For somebody who may already see the university: refuse with 403 below the role."""
    if not has_role(user, university_id, least):
        raise NotAllowed


def highest_role(user: User, university_id: int) -> Role | None:
    if user.is_platform_admin:
        return Role.PLATFORM_ADMIN
    held = [Role(role) for role in user.memberships.filter(university=university_id).values_list("role", flat=True)]
    return max(held, key=ROLE_ORDER.index, default=None)
