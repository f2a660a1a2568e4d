import django.contrib.postgres.fields
import django.contrib.postgres.indexes
import django.db.models.deletion
import django.utils.timezone
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0001_people_and_universities'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Prompt',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=200)),
                ('type', models.CharField(choices=[('text', 'Text'), ('chat', 'Chat')], max_length=10)),
                ('tags', django.contrib.postgres.fields.ArrayField(base_field=models.CharField(max_length=36), blank=True, default=list, size=None)),
                ('description', models.TextField(blank=True)),
                ('latest_number', models.PositiveIntegerField(default=0, editable=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now, editable=False)),
                ('university', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='prompts', to='tenants.university')),
            ],
            options={
                'ordering': ['name', 'university'],
            },
        ),
        migrations.CreateModel(
            name='PromptVersion',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveIntegerField()),
                ('body', models.JSONField(help_text='A string, or a list of messages with role and content.')),
                ('config', models.JSONField(blank=True, default=dict)),
                ('commit_message', models.CharField(blank=True, max_length=500)),
                ('from_library', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('created_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='versions', to='prompts.prompt')),
                ('university', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university')),
            ],
            options={
                'ordering': ['-number'],
            },
        ),
        migrations.CreateModel(
            name='PromptLabelMove',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('label', models.CharField(max_length=36)),
                ('by_library', models.BooleanField(default=False)),
                ('moved_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('moved_by', models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='label_moves', to='prompts.prompt')),
                ('university', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university')),
                ('from_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='+', to='prompts.promptversion')),
                ('to_version', models.ForeignKey(null=True, on_delete=django.db.models.deletion.RESTRICT, related_name='+', to='prompts.promptversion')),
            ],
            options={
                'ordering': ['-id'],
            },
        ),
        migrations.CreateModel(
            name='PromptLabel',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('name', models.CharField(max_length=36)),
                ('moved_at', models.DateTimeField(default=django.utils.timezone.now)),
                ('moved_by', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL)),
                ('prompt', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='labels', to='prompts.prompt')),
                ('university', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university')),
                ('version', models.ForeignKey(on_delete=django.db.models.deletion.RESTRICT, related_name='labels', to='prompts.promptversion')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.AddIndex(
            model_name='prompt',
            index=django.contrib.postgres.indexes.GinIndex(fields=['tags'], name='prompt_tags'),
        ),
        migrations.AddConstraint(
            model_name='prompt',
            constraint=models.UniqueConstraint(fields=('university', 'name'), name='prompt_name_once', nulls_distinct=False),
        ),
        migrations.AddConstraint(
            model_name='prompt',
            constraint=models.CheckConstraint(condition=models.Q(('name__regex', '^[^/|]+(/[^/|]+)*$')), name='prompt_name_well_formed'),
        ),
        migrations.AddConstraint(
            model_name='prompt',
            constraint=models.CheckConstraint(condition=models.Q(('type__in', ['text', 'chat'])), name='prompt_type_known'),
        ),
        migrations.AddConstraint(
            model_name='promptversion',
            constraint=models.UniqueConstraint(fields=('prompt', 'number'), name='prompt_version_number_once'),
        ),
        migrations.AddConstraint(
            model_name='promptversion',
            constraint=models.UniqueConstraint(fields=('prompt', 'id'), name='prompt_version_of_prompt'),
        ),
        migrations.AddConstraint(
            model_name='promptversion',
            constraint=models.CheckConstraint(condition=models.Q(('number__gte', 1)), name='prompt_version_number_from_1'),
        ),
        migrations.AddIndex(
            model_name='promptlabelmove',
            index=models.Index(fields=['prompt', 'label', '-id'], name='prompt_move_newest'),
        ),
        migrations.AddConstraint(
            model_name='promptlabel',
            constraint=models.UniqueConstraint(fields=('prompt', 'name'), name='prompt_label_once'),
        ),
        migrations.AddConstraint(
            model_name='promptlabel',
            constraint=models.CheckConstraint(condition=models.Q(('name__regex', '^[a-z0-9_.-]{1,36}$')), name='prompt_label_well_formed'),
        ),
        migrations.AddConstraint(
            model_name='promptlabel',
            constraint=models.CheckConstraint(condition=models.Q(('name', 'latest'), _negated=True), name='prompt_label_not_latest'),
        ),
    ]
