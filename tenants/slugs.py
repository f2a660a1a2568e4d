"""Names that no university may have, because they are first segments of the site's own addresses."""

from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

RESERVED = frozenset(
    {
        "_patterns",
        "about",
        "accounts",
        "admin",
        "api",
        "countries",
        "docs",
        "healthz",
        "help",
        "learn",
        "login",
        "logout",
        "media",
        "new",
        "open",
        "platform",
        "progress",
        "readyz",
        "search",
        "share",
        "static",
        "teach",
        "tutor",
        "universities",
        "users",
        "ws",
    }
)


def refuse_reserved(slug: str) -> None:
    if slug.lower() in RESERVED:
        raise ValidationError(_("The site itself uses this name; please choose another."), code="reserved")
