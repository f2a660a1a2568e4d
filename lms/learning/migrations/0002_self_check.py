import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('courses', '0001_courses'),
        ('learning', '0001_enrollment'),
        ('tenants', '0001_people_and_universities'),
    ]

    operations = [
        migrations.CreateModel(
            name='SelfCheck',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('answers', models.JSONField(default=dict)),
                ('checked_at', models.DateTimeField(auto_now=True)),
                ('content_item', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='courses.contentitem')),
                ('enrollment', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='self_checks', to='learning.enrollment')),
                ('university', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('enrollment', 'content_item'), name='self_check_once')],
            },
        ),
    ]
