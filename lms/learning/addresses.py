"""Addresses of lessons. Their page belongs to an app above this one, so only its name in the URLconf is known here."""

from django.urls import reverse


def lesson_prefix(university_slug: str, offering_id: int) -> str:
    """What an item's id and a slash are put behind. One call serves a whole outline."""
    return reverse("tutoring:lesson", args=[university_slug, offering_id, 0]).removesuffix("0/")


def lesson_url(university_slug: str, offering_id: int, item_id: int) -> str:
    return reverse("tutoring:lesson", args=[university_slug, offering_id, item_id])
