"""Who may read, write and publish prompts, and one prompt for one person."""

from prompts.errors import LabelProtected
from prompts.models import Prompt
from prompts.rules import PROTECTED_LABELS, is_name
from tenants import access as tenant_access
from tenants.errors import NotAllowed, NotVisible
from tenants.models import Role, University, User


def access_prompts(user: User, slug: str | None) -> University | None:
    """The university whose prompts the person may read; without a slug the platform's own, for its administrators."""
    if slug is None:
        if not user.is_platform_admin:
            raise NotAllowed("Name a university: the platform's own prompts are for its administrators.")
        return None
    university = tenant_access.access_university(user, slug)
    tenant_access.require_role(user, university.pk, Role.INSTRUCTOR)
    return university


def access_own_prompt(user: User, slug: str | None, name: str) -> Prompt:
    """For writing: the university's own prompt of that name, never the platform's that it may be using."""
    university = access_prompts(user, slug)
    prompt = Prompt.objects.owned_by(university).filter(name=name).first() if is_name(name) else None
    if prompt is None:
        raise NotVisible
    return prompt


def require_author(user: User, university: University | None) -> None:
    """Somebody who teaches there. The platform's administrators write the platform's prompts, not a university's."""
    if university is None:
        allowed = user.is_platform_admin
    else:
        allowed = user.memberships.filter(university=university).at_least(Role.INSTRUCTOR).exists()
    if not allowed:
        raise NotAllowed


def require_mover(user: User, university: University | None, label: str) -> None:
    """Protected labels decide what students get: only administrators move them."""
    if user.is_platform_admin:
        return
    if university is None:
        raise NotAllowed
    if not tenant_access.has_role(user, university.pk, Role.INSTRUCTOR):
        raise NotAllowed
    if label in PROTECTED_LABELS and not tenant_access.has_role(user, university.pk, Role.UNIVERSITY_ADMIN):
        raise LabelProtected(f"The label “{label}” is protected: only an administrator may move it.")
