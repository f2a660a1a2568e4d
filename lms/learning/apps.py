from typing import ClassVar

from django.apps import AppConfig

from tenants.register import Wall


class LearningConfig(AppConfig):
    name = "lms.learning"
    label = "learning"
    walls: ClassVar = {
        "Enrollment": Wall.TENANT,
        "ItemProgress": Wall.TENANT,
        "SelfCheck": Wall.TENANT,
    }
