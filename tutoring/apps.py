from typing import ClassVar

from django.apps import AppConfig

from tenants.register import Wall
from tutoring import doors


class TutoringConfig(AppConfig):
    name = "tutoring"
    verbose_name = "Tutoring"
    doors: ClassVar = doors.DOORS
    walls: ClassVar = {
        "ChatSession": Wall.TENANT,
        "Message": Wall.TENANT,
        "Generation": Wall.TENANT,
        "Feedback": Wall.TENANT,
        "IdempotencyKey": Wall.TENANT,
        "Share": Wall.TENANT,
        "TutorPolicy": Wall.TENANT,
        "Budget": Wall.TENANT,
        "UsageEntry": Wall.TENANT,
    }
