from django.db import migrations

from tenants.walls import BuildWalls


class Migration(migrations.Migration):
    dependencies = [("learning", "0002_self_check"), ("courses", "0002_walls")]

    operations = [BuildWalls({"Enrollment": "tenant", "ItemProgress": "tenant", "SelfCheck": "tenant"})]
