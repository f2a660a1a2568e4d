from django.db import migrations, models

import tenants.slugs


class Migration(migrations.Migration):
    dependencies = [("tenants", "0001_people_and_universities")]

    operations = [
        migrations.AddField(
            model_name="tokenfamily",
            name="password_digest",
            # Families from before this column match no password, so their owners sign in again.
            field=models.CharField(default="", max_length=64),
            preserve_default=False,
        ),
        migrations.AlterField(
            model_name="university",
            name="slug",
            field=models.SlugField(unique=True, validators=[tenants.slugs.refuse_reserved]),
        ),
    ]
