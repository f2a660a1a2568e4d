from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenants", "0002_token_family_password_digest")]

    operations = [
        migrations.CreateModel(
            name="RateWindow",
            fields=[
                ("key", models.CharField(max_length=150, primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField()),
                ("ends_at", models.DateTimeField()),
            ],
            options={"indexes": [models.Index(fields=["ends_at"], name="rate_window_end")]},
        ),
    ]
