"""Addresses that more than one place needs."""

from django.urls import reverse


def media_prefix(university_slug: str, course_id: int) -> str:
    """What the paths of a course's files are put behind: /north/media/12/"""
    return reverse("courses:media", args=[university_slug, course_id, "-"]).removesuffix("-")
