from django.apps import AppConfig


class LmsConfig(AppConfig):
    """The site itself: it has commands and glue, and no tables."""

    name = "lms"
