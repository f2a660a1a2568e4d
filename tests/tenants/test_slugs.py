import pytest
from django.core.exceptions import ValidationError
from django.urls import get_resolver

from tenants.models import University
from tenants.slugs import RESERVED


def test_every_fixed_first_segment_is_reserved() -> None:
    """A new mount whose name a university could have fails here until it is in the list."""
    segments = set()
    for pattern in get_resolver().url_patterns:
        for inner in getattr(pattern, "url_patterns", []) if str(pattern.pattern) == "" else [pattern]:
            first = str(inner.pattern).split("/")[0]
            segments |= set() if first.startswith("<") or not first else {first}
    assert {"admin", "api", "accounts", "healthz", "readyz"} <= segments
    assert segments <= RESERVED
    assert {"static", "ws", "media", "share"} <= RESERVED


@pytest.mark.parametrize("slug", ["api", "API", "admin", "ws"])
def test_a_reserved_name_is_refused(slug: str) -> None:
    with pytest.raises(ValidationError, match="The site itself uses this name"):
        University._meta.get_field("slug").clean(slug, None)


def test_another_name_is_not() -> None:
    assert University._meta.get_field("slug").clean("apiary", None) == "apiary"
