from django.db import migrations

from tenants.walls import BuildWalls


class Migration(migrations.Migration):
    dependencies = [("courses", "0001_courses"), ("tenants", "0004_walls")]

    operations = [
        # A tree is known by its course: the next free number could not be told by who sees one university's trees.
        migrations.RunSQL("UPDATE courses_module SET tree_id = course_id", migrations.RunSQL.noop),
        BuildWalls(
            {
                "Course": "tenant",
                "Prerequisite": "tenant",
                "CourseOffering": "tenant",
                "Module": "tenant",
                "ContentItem": "tenant",
                "AnswerKey": "tenant",
                "MediaAsset": "tenant",
            }
        ),
    ]
