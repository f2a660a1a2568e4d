from typing import ClassVar

from django.apps import AppConfig

from tenants.register import Wall


class CoursesConfig(AppConfig):
    name = "lms.courses"
    label = "courses"
    walls: ClassVar = {
        "Subject": Wall.GLOBAL,
        "ContentType": Wall.GLOBAL,
        "Course": Wall.TENANT,
        "Prerequisite": Wall.TENANT,
        "CourseOffering": Wall.TENANT,
        "Module": Wall.TENANT,
        "ContentItem": Wall.TENANT,
        "AnswerKey": Wall.TENANT,
        "MediaAsset": Wall.TENANT,
    }
