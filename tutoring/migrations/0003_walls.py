from django.db import migrations

from tenants.walls import BuildWalls


class Migration(migrations.Migration):
    dependencies = [("tutoring", "0002_usage_sharing_and_feedback"), ("learning", "0003_walls")]

    operations = [
        BuildWalls(
            {
                "ChatSession": "tenant",
                "Message": "tenant",
                "Generation": "tenant",
                "Feedback": "tenant",
                "IdempotencyKey": "tenant",
                "Share": "tenant",
                "TutorPolicy": "tenant",
                "Budget": "tenant",
                "UsageEntry": "tenant",
            }
        )
    ]
