import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from core.migration_operations import Together


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("enterprise", "0001_initial"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="HistoricalWorkbookTemplate",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "code",
                            models.CharField(
                                db_index=True,
                                help_text="Short, stable and unique: devices, files and the ERP call it by this.",
                                max_length=64,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        (
                            "is_active",
                            models.BooleanField(
                                default=True,
                                help_text="Switch off instead of deleting what has a past.",
                                verbose_name="active",
                            ),
                        ),
                        (
                            "source",
                            models.CharField(
                                help_text="What one filled workbook is about.",
                                max_length=40,
                                verbose_name="filled with",
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
                        (
                            "history_user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Empty = for every site.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical workbook template",
                        "verbose_name_plural": "historical workbook templates",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="WorkbookTemplate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "code",
                            models.CharField(
                                help_text="Short, stable and unique: devices, files and the ERP call it by this.",
                                max_length=64,
                                unique=True,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                            ),
                        ),
                        ("name", models.CharField(max_length=200)),
                        (
                            "is_active",
                            models.BooleanField(
                                default=True,
                                help_text="Switch off instead of deleting what has a past.",
                                verbose_name="active",
                            ),
                        ),
                        (
                            "source",
                            models.CharField(
                                help_text="What one filled workbook is about.",
                                max_length=40,
                                verbose_name="filled with",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty = for every site.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="workbook_templates",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalWorkbookMapping",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "target",
                            models.CharField(
                                help_text="A name of the workbook (PACK_ID), or a cell: J6, or Card!J6 on a sheet.",
                                max_length=200,
                            ),
                        ),
                        (
                            "path",
                            models.CharField(
                                help_text="order_number, product.name; or a text with fields: Pack: {order_number}",
                                max_length=300,
                                verbose_name="field",
                            ),
                        ),
                        (
                            "list_path",
                            models.CharField(
                                blank=True,
                                help_text="operations: one row for each, from the target downwards; the field is then one of theirs. Empty = one cell.",
                                max_length=200,
                                verbose_name="for each of",
                            ),
                        ),
                        (
                            "row_step",
                            models.PositiveSmallIntegerField(
                                default=1,
                                help_text="Rows from one to the next.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(100),
                                ],
                            ),
                        ),
                        (
                            "max_rows",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="How many the block has room for: the rest of it is emptied, and more than that is refused. Empty = as many as there are.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1000),
                                ],
                                verbose_name="at most",
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
                        (
                            "history_user",
                            models.ForeignKey(
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="reports.workbooktemplate",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical workbook mapping",
                        "verbose_name_plural": "historical workbook mappings",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="WorkbookMapping",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "target",
                            models.CharField(
                                help_text="A name of the workbook (PACK_ID), or a cell: J6, or Card!J6 on a sheet.",
                                max_length=200,
                            ),
                        ),
                        (
                            "path",
                            models.CharField(
                                help_text="order_number, product.name; or a text with fields: Pack: {order_number}",
                                max_length=300,
                                verbose_name="field",
                            ),
                        ),
                        (
                            "list_path",
                            models.CharField(
                                blank=True,
                                help_text="operations: one row for each, from the target downwards; the field is then one of theirs. Empty = one cell.",
                                max_length=200,
                                verbose_name="for each of",
                            ),
                        ),
                        (
                            "row_step",
                            models.PositiveSmallIntegerField(
                                default=1,
                                help_text="Rows from one to the next.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(100),
                                ],
                            ),
                        ),
                        (
                            "max_rows",
                            models.PositiveSmallIntegerField(
                                blank=True,
                                help_text="How many the block has room for: the rest of it is emptied, and more than that is refused. Empty = as many as there are.",
                                null=True,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1000),
                                ],
                                verbose_name="at most",
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="mappings",
                                to="reports.workbooktemplate",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["template", "id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("template", "target"),
                                name="workbook_target_once",
                                violation_error_message="The cell is filled already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("list_path", ""), _negated=True),
                                    models.Q(("max_rows__isnull", True), ("row_step", 1)),
                                    _connector="OR",
                                ),
                                name="workbook_room_is_of_a_block",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="WorkbookVersion",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.PositiveIntegerField()),
                        ("content", models.BinaryField()),
                        ("size", models.PositiveIntegerField()),
                        ("content_digest", models.CharField(max_length=64, verbose_name="SHA-256")),
                        ("file_name", models.CharField(max_length=200)),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "template",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="versions",
                                to="reports.workbooktemplate",
                            ),
                        ),
                        (
                            "uploaded_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["template", "-number"],
                        "constraints": [
                            models.UniqueConstraint(fields=("template", "number"), name="workbook_version_number")
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="workbookversion",
                    trigger=pgtrigger.compiler.Trigger(
                        name="workbook_version_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="adab1328c39551106e69c2ccf3b3e4aa39593848",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_workbook_version_append_only_42e3b",
                            table="reports_workbookversion",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
    ]
