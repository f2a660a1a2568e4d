from typing import ClassVar

from django.apps import AppConfig

from tenants.register import Wall


class PromptsConfig(AppConfig):
    name = "prompts"
    verbose_name = "Prompts"
    walls: ClassVar = {
        "Prompt": Wall.SHARED,
        "PromptVersion": Wall.SHARED,
        "PromptLabel": Wall.SHARED,
        "PromptLabelMove": Wall.SHARED,
    }
