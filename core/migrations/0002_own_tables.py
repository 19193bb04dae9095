import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from core.migration_operations import Together


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0001_extensions"),
        ("accounts", "__first__"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="ChainHead",
                    fields=[
                        ("chain", models.CharField(max_length=100, primary_key=True, serialize=False)),
                        ("sequence", models.PositiveBigIntegerField(help_text="How many rows it has.")),
                        ("last_hash", models.CharField(blank=True, help_text="Of its last row.", max_length=64)),
                        ("seal", models.CharField(blank=True, help_text="HMAC-SHA-256 over the above.", max_length=64)),
                    ],
                    options={
                        "ordering": ["chain"],
                    },
                ),
                migrations.CreateModel(
                    name="ChangedSpan",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("subject_id", models.BigIntegerField()),
                        ("changed_from", models.DateTimeField()),
                        ("changed_until", models.DateTimeField(null=True)),
                    ],
                    options={
                        "indexes": [models.Index(fields=["subject_id"], name="changed_span_subject")],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("changed_until__isnull", True),
                                    ("changed_until__gt", models.F("changed_from")),
                                    _connector="OR",
                                ),
                                name="changed_span_not_empty",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="CustomField",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "model",
                            models.CharField(
                                help_text="The kind of thing that has it.", max_length=100, verbose_name="belongs to"
                            ),
                        ),
                        (
                            "code",
                            models.CharField(
                                help_text="Its name over REST and in files. It cannot be changed later.",
                                max_length=40,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[a-z][a-z0-9_]*\\Z",
                                        "Use small letters, digits and '_' only, beginning with a letter: colour_code.",
                                    )
                                ],
                            ),
                        ),
                        ("label", models.CharField(help_text="Its name on pages.", max_length=100)),
                        (
                            "type",
                            models.CharField(
                                choices=[
                                    ("text", "Text"),
                                    ("number", "Number"),
                                    ("date", "Date"),
                                    ("choice", "Choice"),
                                    ("yes_no", "Yes or no"),
                                ],
                                default="text",
                                help_text="It cannot be changed later.",
                                max_length=8,
                            ),
                        ),
                        (
                            "choices",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                blank=True,
                                default=list,
                                help_text="For a choice: the values, with commas between.",
                                size=None,
                            ),
                        ),
                        (
                            "required",
                            models.BooleanField(default=False, help_text="People, files and systems must fill it in."),
                        ),
                        ("help", models.CharField(blank=True, help_text="What is shown beside it.", max_length=300)),
                        ("position", models.PositiveSmallIntegerField(default=10)),
                        (
                            "is_active",
                            models.BooleanField(
                                default=True,
                                help_text="Switched off, its values are kept but not shown.",
                                verbose_name="active",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["model", "position", "code"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("model", "code"),
                                name="one_custom_field_of_a_code",
                                violation_error_message="There is a field of that code already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("choices__len__gt", 0), ("type", "choice")),
                                    models.Q(models.Q(("type", "choice"), _negated=True), ("choices", [])),
                                    _connector="OR",
                                ),
                                name="custom_field_choice_has_choices",
                                violation_error_message="A choice, and only a choice, has values to choose from.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalCustomField",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "model",
                            models.CharField(
                                help_text="The kind of thing that has it.", max_length=100, verbose_name="belongs to"
                            ),
                        ),
                        (
                            "code",
                            models.CharField(
                                help_text="Its name over REST and in files. It cannot be changed later.",
                                max_length=40,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[a-z][a-z0-9_]*\\Z",
                                        "Use small letters, digits and '_' only, beginning with a letter: colour_code.",
                                    )
                                ],
                            ),
                        ),
                        ("label", models.CharField(help_text="Its name on pages.", max_length=100)),
                        (
                            "type",
                            models.CharField(
                                choices=[
                                    ("text", "Text"),
                                    ("number", "Number"),
                                    ("date", "Date"),
                                    ("choice", "Choice"),
                                    ("yes_no", "Yes or no"),
                                ],
                                default="text",
                                help_text="It cannot be changed later.",
                                max_length=8,
                            ),
                        ),
                        (
                            "choices",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                blank=True,
                                default=list,
                                help_text="For a choice: the values, with commas between.",
                                size=None,
                            ),
                        ),
                        (
                            "required",
                            models.BooleanField(default=False, help_text="People, files and systems must fill it in."),
                        ),
                        ("help", models.CharField(blank=True, help_text="What is shown beside it.", max_length=300)),
                        ("position", models.PositiveSmallIntegerField(default=10)),
                        (
                            "is_active",
                            models.BooleanField(
                                default=True,
                                help_text="Switched off, its values are kept but not shown.",
                                verbose_name="active",
                            ),
                        ),
                        ("history_id", models.AutoField(primary_key=True, serialize=False)),
                        ("history_date", models.DateTimeField(db_index=True)),
                        ("history_change_reason", models.CharField(max_length=100, null=True)),
                        (
                            "history_type",
                            models.CharField(
                                choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical custom field",
                        "verbose_name_plural": "historical custom fields",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalRetention",
                    fields=[
                        ("id", models.PositiveSmallIntegerField(db_index=True, default=1, editable=False)),
                        (
                            "keep_months",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="Whole months of single counts and states to keep, besides the current one. What is older is thrown away once a day, after its hours are computed: OEE, losses and quantities of shifts, days, runs and hours stay, to the last digit, but can no longer be corrected or drilled into. Empty = for ever.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1200),
                                ],
                                verbose_name="months of raw facts to keep",
                            ),
                        ),
                        (
                            "closed_until",
                            models.DateTimeField(
                                editable=False, help_text="Hours before are final: their raw facts are gone.", null=True
                            ),
                        ),
                        ("history_id", models.AutoField(primary_key=True, serialize=False)),
                        ("history_date", models.DateTimeField(db_index=True)),
                        ("history_change_reason", models.CharField(max_length=100, null=True)),
                        (
                            "history_type",
                            models.CharField(
                                choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical retention",
                        "verbose_name_plural": "historical retention",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="IdempotentAnswer",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(max_length=200)),
                        ("method", models.CharField(max_length=8)),
                        ("path", models.TextField()),
                        ("body_hash", models.CharField(help_text="SHA-256 of the body.", max_length=64)),
                        ("status_code", models.PositiveSmallIntegerField()),
                        ("answer", models.TextField(help_text="JSON.")),
                        ("recorded_at", models.DateTimeField(db_index=True)),
                    ],
                ),
                migrations.CreateModel(
                    name="Retention",
                    fields=[
                        (
                            "id",
                            models.PositiveSmallIntegerField(
                                default=1, editable=False, primary_key=True, serialize=False
                            ),
                        ),
                        (
                            "keep_months",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="Whole months of single counts and states to keep, besides the current one. What is older is thrown away once a day, after its hours are computed: OEE, losses and quantities of shifts, days, runs and hours stay, to the last digit, but can no longer be corrected or drilled into. Empty = for ever.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1200),
                                ],
                                verbose_name="months of raw facts to keep",
                            ),
                        ),
                        (
                            "closed_until",
                            models.DateTimeField(
                                editable=False, help_text="Hours before are final: their raw facts are gone.", null=True
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "retention",
                        "verbose_name_plural": "retention",
                        "constraints": [
                            models.CheckConstraint(condition=models.Q(("id", 1)), name="retention_is_one_row"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("keep_months__isnull", True), ("keep_months__gte", 1), _connector="OR"
                                ),
                                name="retention_keeps_a_month",
                                violation_error_message="Keep at least one month, or leave it empty to keep all.",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="chainhead",
                    trigger=pgtrigger.compiler.Trigger(
                        name="chain_head_stays",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot delete rows from % table', TG_TABLE_NAME;",
                            hash="10dd2dae4417ebed1c8581baf633e2cba3860f7c",
                            operation="DELETE",
                            pgid="pgtrigger_chain_head_stays_6665d",
                            table="core_chainhead",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
        migrations.AddField(
            model_name="historicalcustomfield",
            name="history_user",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="historicalretention",
            name="history_user",
            field=models.ForeignKey(
                null=True, on_delete=django.db.models.deletion.SET_NULL, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddField(
            model_name="idempotentanswer",
            name="caller",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE, related_name="+", to=settings.AUTH_USER_MODEL
            ),
        ),
        migrations.AddConstraint(
            model_name="idempotentanswer",
            constraint=models.UniqueConstraint(fields=("caller", "key"), name="one_answer_for_a_key"),
        ),
    ]
