from django.db import migrations

from tenants.walls import BuildWalls


class Migration(migrations.Migration):
    dependencies = [("prompts", "0002_rows_hold_together"), ("tenants", "0004_walls")]

    operations = [
        BuildWalls(
            {"Prompt": "shared", "PromptVersion": "shared", "PromptLabel": "shared", "PromptLabelMove": "shared"}
        )
    ]
