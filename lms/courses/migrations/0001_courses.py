import django.contrib.postgres.indexes
import django.contrib.postgres.search
import django.db.models.deletion
import lms.courses.models
import mptt.fields
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('tenants', '0001_people_and_universities'),
    ]

    operations = [
        migrations.CreateModel(
            name='ContentType',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=40, unique=True)),
                ('name', models.CharField(max_length=80)),
                ('icon', models.CharField(blank=True, max_length=40)),
                ('schema', models.JSONField()),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.CreateModel(
            name='ContentItem',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('title', models.CharField(max_length=300)),
                ('data', models.JSONField(default=dict)),
                ('sequence_index', models.PositiveIntegerField(default=0)),
                ('objectives', models.JSONField(blank=True, default=list)),
                ('prompt_name', models.CharField(default='tutor/lesson', max_length=200)),
                ('prompt_label', models.CharField(default='production', max_length=36)),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('published', 'Published')], default='published', max_length=20)),
                ('revision', models.PositiveIntegerField(default=1)),
                ('source_key', models.CharField(blank=True, max_length=255)),
                ('imported_hash', models.CharField(blank=True, max_length=64)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('university', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university')),
                ('content_type', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='items', to='courses.contenttype')),
            ],
            options={
                'ordering': ['module', 'sequence_index', 'id'],
            },
        ),
        migrations.CreateModel(
            name='AnswerKey',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('data', models.JSONField(default=dict)),
                ('university', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university')),
                ('content_item', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='answer_key', to='courses.contentitem')),
            ],
        ),
        migrations.CreateModel(
            name='Course',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('code', models.CharField(max_length=40)),
                ('title', models.CharField(max_length=200)),
                ('slug', models.SlugField(max_length=80)),
                ('level', models.CharField(choices=[('introductory', 'Introductory'), ('intermediate', 'Intermediate'), ('advanced', 'Advanced')], default='introductory', max_length=20)),
                ('language', models.CharField(default='en', max_length=16)),
                ('description', models.TextField(blank=True, help_text='Markdown.')),
                ('objectives', models.JSONField(blank=True, default=list, help_text='A list of sentences.')),
                ('status', models.CharField(choices=[('draft', 'Draft'), ('published', 'Published'), ('archived', 'Archived')], default='draft', max_length=20)),
                ('source_key', models.CharField(blank=True, max_length=255)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
                ('search', models.GeneratedField(db_persist=True, expression=django.contrib.postgres.search.SearchVector('title', 'code', 'description', config='simple'), output_field=django.contrib.postgres.search.SearchVectorField())),
                ('department', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='tenants.department')),
                ('university', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='courses', to='tenants.university')),
            ],
            options={
                'ordering': ['title'],
            },
        ),
        migrations.CreateModel(
            name='Module',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('type', models.CharField(choices=[('course_root', 'Course'), ('unit', 'Unit'), ('chapter', 'Chapter'), ('lesson', 'Lesson'), ('topic', 'Topic'), ('section', 'Section'), ('lab', 'Lab'), ('quiz', 'Quiz'), ('other', 'Other')], default='lesson', max_length=20)),
                ('title', models.CharField(max_length=300)),
                ('sequence_index', models.PositiveIntegerField(default=0)),
                ('available_from', models.DateTimeField(blank=True, null=True)),
                ('available_until', models.DateTimeField(blank=True, null=True)),
                ('source_key', models.CharField(blank=True, max_length=255)),
                ('lft', models.PositiveIntegerField(editable=False)),
                ('rght', models.PositiveIntegerField(editable=False)),
                ('tree_id', models.PositiveIntegerField(db_index=True, editable=False)),
                ('level', models.PositiveIntegerField(editable=False)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='modules', to='courses.course')),
                ('parent', mptt.fields.TreeForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.CASCADE, related_name='children', to='courses.module')),
                ('university', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university')),
            ],
        ),
        migrations.AddField(
            model_name='contentitem',
            name='module',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='items', to='courses.module'),
        ),
        migrations.CreateModel(
            name='Prerequisite',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('kind', models.CharField(choices=[('strict', 'Required'), ('recommended', 'Recommended'), ('co_requisite', 'Taken at the same time')], default='strict', max_length=20)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='prerequisites', to='courses.course')),
                ('required_course', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='required_by', to='courses.course')),
                ('university', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university')),
            ],
        ),
        migrations.CreateModel(
            name='Subject',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('slug', models.SlugField(max_length=60, unique=True)),
                ('name', models.CharField(max_length=120)),
                ('parent', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='children', to='courses.subject')),
            ],
            options={
                'ordering': ['name'],
            },
        ),
        migrations.AddField(
            model_name='course',
            name='subject',
            field=models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, to='courses.subject'),
        ),
        migrations.CreateModel(
            name='CourseOffering',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('term', models.CharField(max_length=60)),
                ('starts_at', models.DateTimeField(blank=True, null=True)),
                ('ends_at', models.DateTimeField(blank=True, null=True)),
                ('capacity', models.PositiveIntegerField(blank=True, help_text='Empty means without limit.', null=True)),
                ('enrollment_opens_at', models.DateTimeField(blank=True, null=True)),
                ('enrollment_closes_at', models.DateTimeField(blank=True, null=True)),
                ('hint_policy', models.CharField(choices=[('guide', 'Guide: questions and hints, no full solutions'), ('explain', "Explain: worked explanations, the last step is the student's"), ('open', 'Open: full answers')], default='guide', max_length=20)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='offerings', to='courses.course')),
                ('university', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='offerings', to='tenants.university')),
            ],
            options={
                'ordering': ['-starts_at', 'id'],
                'constraints': [models.UniqueConstraint(fields=('course', 'term'), name='offering_term_once')],
            },
        ),
        migrations.CreateModel(
            name='MediaAsset',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('path', models.CharField(max_length=400)),
                ('file', models.FileField(max_length=255, upload_to=lms.courses.models.media_upload_path)),
                ('media_type', models.CharField(max_length=100)),
                ('size_bytes', models.PositiveBigIntegerField()),
                ('sha256', models.CharField(max_length=64)),
                ('course', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='media', to='courses.course')),
                ('university', models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university')),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('course', 'path'), name='media_path_once')],
            },
        ),
        migrations.AddConstraint(
            model_name='module',
            constraint=models.UniqueConstraint(condition=models.Q(('parent', None)), fields=('course',), name='module_one_root'),
        ),
        migrations.AddConstraint(
            model_name='module',
            constraint=models.UniqueConstraint(condition=models.Q(('source_key', ''), _negated=True), fields=('course', 'source_key'), name='module_source_once'),
        ),
        migrations.AddIndex(
            model_name='contentitem',
            index=django.contrib.postgres.indexes.GinIndex(fields=['data'], name='content_item_data'),
        ),
        migrations.AddIndex(
            model_name='contentitem',
            index=models.Index(fields=['module', 'sequence_index'], name='content_item_order'),
        ),
        migrations.AddConstraint(
            model_name='contentitem',
            constraint=models.UniqueConstraint(condition=models.Q(('source_key', ''), _negated=True), fields=('module', 'source_key'), name='content_item_source_once'),
        ),
        migrations.AddConstraint(
            model_name='prerequisite',
            constraint=models.UniqueConstraint(fields=('course', 'required_course'), name='prerequisite_once'),
        ),
        migrations.AddConstraint(
            model_name='prerequisite',
            constraint=models.CheckConstraint(condition=models.Q(('course', models.F('required_course')), _negated=True), name='prerequisite_not_itself'),
        ),
        migrations.AddIndex(
            model_name='course',
            index=django.contrib.postgres.indexes.GinIndex(fields=['search'], name='course_search'),
        ),
        migrations.AddConstraint(
            model_name='course',
            constraint=models.UniqueConstraint(fields=('university', 'slug'), name='course_slug_once'),
        ),
        migrations.AddConstraint(
            model_name='course',
            constraint=models.UniqueConstraint(fields=('university', 'code'), name='course_code_once'),
        ),
        migrations.AddConstraint(
            model_name='course',
            constraint=models.UniqueConstraint(condition=models.Q(('source_key', ''), _negated=True), fields=('university', 'source_key'), name='course_source_once'),
        ),
    ]
