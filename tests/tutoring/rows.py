"""Rows that the product's own actions make only after something went wrong."""

from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from django.db.models.functions import Now

from lms.courses.models import ContentItem, CourseOffering
from tenants.models import User
from tutoring.models import ChatSession, Generation, Message

DAY = date(2026, 11, 2)
RESERVED = {"reserved_tokens": 3000, "reserved_usd": Decimal("0.03")}


def make_reply(user: User, offering: CourseOffering, item: ContentItem, body: str, **fields: Any) -> Generation:
    """A reply that broke off a second ago, with what was set aside for it."""
    place = {"university": offering.university}
    session = ChatSession.objects.create(user=user, offering=offering, content_item=item, content_context={}, **place)
    message = Message.objects.create(session=session, seq=1, role="assistant", state="streaming", body=body, **place)
    fields = {"state": "streaming", "lease_until": Now() - timedelta(seconds=1)} | RESERVED | fields
    return Generation.objects.create(
        session=session,
        message=message,
        owner="gone",
        provider="anthropic",
        model="claude-sonnet-5-5",
        budget_day=DAY,
        **place,
        **fields,
    )
