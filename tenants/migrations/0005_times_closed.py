"""Closing an account ends its sign-ins for good, also when it is opened again."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0004_walls")]

    operations = [
        migrations.AddField(
            "user",
            "times_closed",
            models.PositiveIntegerField(default=0, editable=False),
        ),
    ]
