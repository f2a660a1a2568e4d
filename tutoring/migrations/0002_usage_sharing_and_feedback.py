import django.core.validators
import django.db.models.deletion
import uuid
from decimal import Decimal
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('courses', '0001_courses'),
        ('tenants', '0003_rate_windows'),
        ('tutoring', '0001_conversations'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='Budget',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('user', 'person'), ('course', 'course'), ('university', 'university')], max_length=10)),
                ('subject_id', models.BigIntegerField()),
                ('period_start', models.DateField()),
                ('used_tokens', models.BigIntegerField(default=0)),
                ('used_usd', models.DecimalField(decimal_places=6, default=0, max_digits=14)),
                ('reserved_tokens', models.BigIntegerField(default=0)),
                ('reserved_usd', models.DecimalField(decimal_places=6, default=0, max_digits=14)),
            ],
        ),
        migrations.CreateModel(
            name='Feedback',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('thumb', models.CharField(choices=[('up', 'Helpful'), ('down', 'Not helpful')], max_length=4)),
                ('comment', models.CharField(blank=True, max_length=1000)),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('updated_at', models.DateTimeField(auto_now=True)),
            ],
            options={
                'verbose_name_plural': 'feedback',
            },
        ),
        migrations.CreateModel(
            name='Share',
            fields=[
                ('id', models.UUIDField(default=uuid.uuid4, editable=False, primary_key=True, serialize=False)),
                ('token_hash', models.CharField(max_length=64, unique=True)),
                ('title', models.CharField(max_length=200)),
                ('shown_name', models.CharField(blank=True, max_length=80)),
                ('snapshot', models.JSONField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
                ('expires_at', models.DateTimeField()),
                ('revoked_at', models.DateTimeField(null=True)),
                ('view_count', models.PositiveIntegerField(default=0)),
            ],
            options={
                'ordering': ['-created_at'],
            },
        ),
        migrations.CreateModel(
            name='TutorPolicy',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('user_daily_tokens', models.PositiveBigIntegerField(blank=True, default=500000, null=True, verbose_name='tokens per person and day')),
                ('user_daily_usd', models.DecimalField(blank=True, decimal_places=4, max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='USD per person and day')),
                ('course_monthly_tokens', models.PositiveBigIntegerField(blank=True, null=True, verbose_name='tokens per course and month')),
                ('course_monthly_usd', models.DecimalField(blank=True, decimal_places=4, max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='USD per course and month')),
                ('university_monthly_tokens', models.PositiveBigIntegerField(blank=True, null=True, verbose_name='tokens of the university per month')),
                ('university_monthly_usd', models.DecimalField(blank=True, decimal_places=4, max_digits=10, null=True, validators=[django.core.validators.MinValueValidator(0)], verbose_name='USD of the university per month')),
                ('notice_percent', models.PositiveSmallIntegerField(blank=True, default=80, help_text="From this share of a limit on the tutor's panel says how much is left. Empty: never.", null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='notice from, in percent')),
                ('cheaper_percent', models.PositiveSmallIntegerField(blank=True, help_text='From this share of a limit on the cheaper model answers. Empty: never.', null=True, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(100)], verbose_name='cheaper model from, in percent')),
                ('when_used_up', models.CharField(choices=[('practice', 'The practice tutor answers until the allowance renews'), ('stop', 'The tutor does not answer until the allowance renews')], default='practice', max_length=10, verbose_name='when a limit is used up')),
                ('sharing', models.CharField(choices=[('off', 'Conversations cannot be shared'), ('link', 'Whoever has the link can read a shared conversation')], default='link', max_length=10)),
                ('share_days', models.PositiveSmallIntegerField(default=90, validators=[django.core.validators.MinValueValidator(1), django.core.validators.MaxValueValidator(365)], verbose_name='days that a shared link may last')),
            ],
            options={
                'verbose_name_plural': 'tutor policies',
            },
        ),
        migrations.CreateModel(
            name='UsageEntry',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('generation', models.UUIDField(default=uuid.uuid4)),
                ('purpose', models.CharField(choices=[('reply', 'Reply'), ('title', 'Title')], default='reply', max_length=10)),
                ('provider', models.CharField(max_length=20)),
                ('model', models.CharField(blank=True, max_length=200)),
                ('input_tokens', models.PositiveIntegerField(default=0)),
                ('output_tokens', models.PositiveIntegerField(default=0)),
                ('cache_write_tokens', models.PositiveIntegerField(default=0)),
                ('cache_read_tokens', models.PositiveIntegerField(default=0)),
                ('cost_usd', models.DecimalField(decimal_places=6, max_digits=12, null=True)),
                ('is_estimated', models.BooleanField(default=False)),
                ('day', models.DateField()),
                ('created_at', models.DateTimeField(auto_now_add=True)),
            ],
            options={
                'verbose_name_plural': 'usage entries',
            },
        ),
        migrations.AddField(
            model_name='generation',
            name='budget_day',
            field=models.DateField(null=True),
        ),
        migrations.AddField(
            model_name='generation',
            name='budget_step',
            field=models.CharField(blank=True, choices=[('notice', 'little left'), ('cheaper', 'cheaper model'), ('practice', 'practice tutor')], db_default='', default='', max_length=10),
        ),
        migrations.AddField(
            model_name='generation',
            name='is_estimated',
            field=models.BooleanField(db_default=False, default=False),
        ),
        migrations.AddField(
            model_name='generation',
            name='left_out_messages',
            field=models.PositiveIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='generation',
            name='reserved_tokens',
            field=models.BigIntegerField(db_default=0, default=0),
        ),
        migrations.AddField(
            model_name='generation',
            name='reserved_usd',
            field=models.DecimalField(db_default=Decimal('0'), decimal_places=6, default=0, max_digits=12),
        ),
        migrations.AddField(
            model_name='generation',
            name='tries',
            field=models.PositiveSmallIntegerField(db_default=0, default=0),
        ),
        migrations.AlterField(
            model_name='generation',
            name='model',
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddIndex(
            model_name='idempotencykey',
            index=models.Index(fields=['created_at'], name='idempotency_key_age'),
        ),
        migrations.AddField(
            model_name='budget',
            name='university',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university'),
        ),
        migrations.AddField(
            model_name='feedback',
            name='message',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='feedback', to='tutoring.message'),
        ),
        migrations.AddField(
            model_name='feedback',
            name='university',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university'),
        ),
        migrations.AddField(
            model_name='share',
            name='session',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='shares', to='tutoring.chatsession'),
        ),
        migrations.AddField(
            model_name='share',
            name='university',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university'),
        ),
        migrations.AddField(
            model_name='tutorpolicy',
            name='university',
            field=models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, related_name='tutor_policy', to='tenants.university'),
        ),
        migrations.AddField(
            model_name='usageentry',
            name='course',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to='courses.course'),
        ),
        migrations.AddField(
            model_name='usageentry',
            name='university',
            field=models.ForeignKey(on_delete=django.db.models.deletion.CASCADE, related_name='+', to='tenants.university'),
        ),
        migrations.AddField(
            model_name='usageentry',
            name='user',
            field=models.ForeignKey(null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='+', to=settings.AUTH_USER_MODEL),
        ),
        migrations.AddConstraint(
            model_name='budget',
            constraint=models.UniqueConstraint(fields=('university', 'scope', 'subject_id', 'period_start'), name='budget_period_once'),
        ),
        migrations.AddConstraint(
            model_name='budget',
            constraint=models.CheckConstraint(condition=models.Q(('reserved_tokens__gte', 0), ('reserved_usd__gte', 0)), name='budget_reserved_not_negative'),
        ),
        migrations.AddIndex(
            model_name='usageentry',
            index=models.Index(fields=['university', 'day'], name='usage_entry_day'),
        ),
        migrations.AddConstraint(
            model_name='usageentry',
            constraint=models.UniqueConstraint(fields=('generation', 'purpose'), name='usage_entry_once'),
        ),
    ]
