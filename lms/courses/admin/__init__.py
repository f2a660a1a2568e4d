"""Authoring: courses with their offerings, the tree of a course by drag, content drawn from its type's schema."""

from lms.courses.admin import catalogue, courses, items, modules

__all__ = ["catalogue", "courses", "items", "modules"]
