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
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("enterprise", "0001_initial"),
        ("materials", "0001_initial"),
        ("products", "0001_initial"),
        ("workorders", "0001_initial"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="BatchRecord",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("number", models.CharField(max_length=64, unique=True)),
                        (
                            "requirement",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("fda", "FDA 21 CFR 11, 210 and 211"),
                                    ("gmp", "EU GMP, Annex 11"),
                                    ("iso", "ISO 13485"),
                                    ("iatf", "IATF 16949"),
                                ],
                                help_text="What it has to satisfy.",
                                max_length=4,
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("in_progress", "In progress"),
                                    ("under_review", "Under review"),
                                    ("approved", "Approved"),
                                    ("released", "Released"),
                                    ("rejected", "Rejected"),
                                ],
                                default="in_progress",
                                max_length=12,
                            ),
                        ),
                        ("opened_at", models.DateTimeField()),
                        (
                            "lot",
                            models.ForeignKey(
                                blank=True,
                                help_text="One lot of what the order made. Empty = all of it.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="batch_records",
                                to="materials.materiallot",
                            ),
                        ),
                        (
                            "opened_by",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "work_order",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="batch_records",
                                to="workorders.workorder",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("work_order", "lot"),
                                name="one_batch_record_of_an_order_or_lot",
                                nulls_distinct=False,
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Deviation",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "severity",
                            models.CharField(
                                choices=[("critical", "Critical"), ("major", "Major"), ("minor", "Minor")],
                                default="major",
                                max_length=8,
                            ),
                        ),
                        ("title", models.CharField(max_length=200)),
                        ("detail", models.TextField(blank=True, max_length=4000)),
                        ("opened_at", models.DateTimeField()),
                        (
                            "opened_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "record",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="deviations",
                                to="batchrecords.batchrecord",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["id"],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalSigningPolicy",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "reviewer_may_have_prepared",
                            models.BooleanField(
                                default=False, help_text="Off = whoever prepared a record does not review it."
                            ),
                        ),
                        (
                            "approver_may_have_signed",
                            models.BooleanField(
                                default=False,
                                help_text="Off = whoever prepared or reviewed a record does not approve it.",
                            ),
                        ),
                        (
                            "releaser_may_have_approved",
                            models.BooleanField(
                                default=True, help_text="Off = whoever approved a record does not release it."
                            ),
                        ),
                        (
                            "stop_minutes",
                            models.PositiveSmallIntegerField(
                                default=30,
                                help_text="An unplanned stop that lasted so long is listed for review.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1440),
                                ],
                                verbose_name="stop is a deviation from (min)",
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
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical signing policy",
                        "verbose_name_plural": "historical signing policies",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalStepTemplate",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "position",
                            models.PositiveSmallIntegerField(default=10, help_text="10, 20, 30 …: the order of work."),
                        ),
                        ("code", models.CharField(max_length=40)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("read", "Read and confirm"),
                                    ("number", "Number"),
                                    ("choice", "Choice"),
                                    ("text", "Text"),
                                    ("time", "Time"),
                                    ("photo", "Photo"),
                                    ("person", "Second person"),
                                ],
                                default="read",
                                max_length=6,
                            ),
                        ),
                        (
                            "prompt",
                            models.CharField(help_text="What is to be done, read or measured.", max_length=1000),
                        ),
                        ("minimum", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        ("maximum", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        ("unit", models.CharField(blank=True, max_length=20)),
                        (
                            "choices",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                blank=True,
                                default=list,
                                help_text="For a choice: what may be chosen.",
                                size=None,
                            ),
                        ),
                        (
                            "choices_within",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                blank=True,
                                default=list,
                                help_text="Those that are as they should be. None = all are.",
                                size=None,
                            ),
                        ),
                        (
                            "is_required",
                            models.BooleanField(
                                default=True,
                                help_text="The operation cannot be finished before it is done.",
                                verbose_name="required",
                            ),
                        ),
                        (
                            "is_critical",
                            models.BooleanField(
                                default=False, help_text="Beyond its limits it is critical.", verbose_name="critical"
                            ),
                        ),
                        (
                            "beyond",
                            models.CharField(
                                choices=[
                                    ("comment", "Ask for a comment"),
                                    ("deviation", "Ask for a comment and open a deviation"),
                                    ("stop", "Stop: the operation waits until the deviation is resolved"),
                                ],
                                default="deviation",
                                max_length=9,
                                verbose_name="beyond its limits",
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
                            "operation",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.routingoperation",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical step template",
                        "verbose_name_plural": "historical step templates",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="Resolution",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("key", models.CharField(help_text="Of the deviation.", max_length=150)),
                        ("finding_hash", models.CharField(max_length=64)),
                        (
                            "decision",
                            models.CharField(
                                choices=[
                                    ("accepted", "No effect on the batch"),
                                    ("corrected", "Corrected"),
                                    ("reworked", "Reworked"),
                                    ("excluded", "The affected part is excluded"),
                                ],
                                max_length=9,
                            ),
                        ),
                        ("comment", models.CharField(max_length=1000)),
                        ("resolved_name", models.CharField(max_length=300)),
                        ("resolved_at", models.DateTimeField()),
                        (
                            "record",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="resolutions",
                                to="batchrecords.batchrecord",
                            ),
                        ),
                        (
                            "resolved_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("record", "key", "finding_hash"), name="deviation_resolved_once"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("comment", ""), _negated=True), name="resolution_has_a_comment"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Signature",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "revision",
                            models.PositiveIntegerField(
                                help_text="1 = the first; each new preparation makes the next."
                            ),
                        ),
                        (
                            "meaning",
                            models.CharField(
                                choices=[
                                    ("prepared", "Prepared: this is the record of what was done"),
                                    ("reviewed", "Reviewed: every deviation is resolved"),
                                    (
                                        "approved",
                                        "Approved: the record is complete and the batch meets its requirements",
                                    ),
                                    ("released", "Released for use or sale"),
                                    ("rejected", "Rejected"),
                                ],
                                max_length=8,
                            ),
                        ),
                        ("username", models.CharField(max_length=150)),
                        ("printed_name", models.CharField(max_length=300)),
                        ("signed_at", models.DateTimeField()),
                        ("zone", models.CharField(help_text="The site's time zone when it was signed.", max_length=64)),
                        ("comment", models.CharField(blank=True, max_length=500)),
                        ("content_hash", models.CharField(max_length=64)),
                        ("snapshot", models.JSONField()),
                        ("snapshot_hash", models.CharField(max_length=64)),
                        (
                            "record",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="signatures",
                                to="batchrecords.batchrecord",
                            ),
                        ),
                        (
                            "signer",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("record", "revision", "meaning"), name="one_signature_of_a_meaning"
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="SigningPolicy",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "reviewer_may_have_prepared",
                            models.BooleanField(
                                default=False, help_text="Off = whoever prepared a record does not review it."
                            ),
                        ),
                        (
                            "approver_may_have_signed",
                            models.BooleanField(
                                default=False,
                                help_text="Off = whoever prepared or reviewed a record does not approve it.",
                            ),
                        ),
                        (
                            "releaser_may_have_approved",
                            models.BooleanField(
                                default=True, help_text="Off = whoever approved a record does not release it."
                            ),
                        ),
                        (
                            "stop_minutes",
                            models.PositiveSmallIntegerField(
                                default=30,
                                help_text="An unplanned stop that lasted so long is listed for review.",
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(1440),
                                ],
                                verbose_name="stop is a deviation from (min)",
                            ),
                        ),
                        (
                            "site",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="signing_policy",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "signing policies",
                        "ordering": ["site"],
                    },
                ),
                migrations.CreateModel(
                    name="StepTemplate",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "position",
                            models.PositiveSmallIntegerField(default=10, help_text="10, 20, 30 …: the order of work."),
                        ),
                        ("code", models.CharField(max_length=40)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("read", "Read and confirm"),
                                    ("number", "Number"),
                                    ("choice", "Choice"),
                                    ("text", "Text"),
                                    ("time", "Time"),
                                    ("photo", "Photo"),
                                    ("person", "Second person"),
                                ],
                                default="read",
                                max_length=6,
                            ),
                        ),
                        (
                            "prompt",
                            models.CharField(help_text="What is to be done, read or measured.", max_length=1000),
                        ),
                        ("minimum", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        ("maximum", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        ("unit", models.CharField(blank=True, max_length=20)),
                        (
                            "choices",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                blank=True,
                                default=list,
                                help_text="For a choice: what may be chosen.",
                                size=None,
                            ),
                        ),
                        (
                            "choices_within",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                blank=True,
                                default=list,
                                help_text="Those that are as they should be. None = all are.",
                                size=None,
                            ),
                        ),
                        (
                            "is_required",
                            models.BooleanField(
                                default=True,
                                help_text="The operation cannot be finished before it is done.",
                                verbose_name="required",
                            ),
                        ),
                        (
                            "is_critical",
                            models.BooleanField(
                                default=False, help_text="Beyond its limits it is critical.", verbose_name="critical"
                            ),
                        ),
                        (
                            "beyond",
                            models.CharField(
                                choices=[
                                    ("comment", "Ask for a comment"),
                                    ("deviation", "Ask for a comment and open a deviation"),
                                    ("stop", "Stop: the operation waits until the deviation is resolved"),
                                ],
                                default="deviation",
                                max_length=9,
                                verbose_name="beyond its limits",
                            ),
                        ),
                        (
                            "operation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="step_templates",
                                to="products.routingoperation",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["operation", "position", "id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("operation", "code"),
                                name="one_step_of_a_code",
                                violation_error_message="The operation has a step of that code already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("kind", "number"),
                                    models.Q(("maximum__isnull", True), ("minimum__isnull", True)),
                                    _connector="OR",
                                ),
                                name="step_limits_only_of_numbers",
                                violation_error_message="Only a number has limits.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("minimum__isnull", True),
                                    ("maximum__isnull", True),
                                    ("minimum__lte", models.F("maximum")),
                                    _connector="OR",
                                ),
                                name="step_limits_in_order",
                                violation_error_message="The minimum is not above the maximum.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("choices__len__gt", 0), ("kind", "choice")),
                                    models.Q(models.Q(("kind", "choice"), _negated=True), ("choices", [])),
                                    _connector="OR",
                                ),
                                name="step_choice_has_choices",
                                violation_error_message="A choice, and only a choice, has values to choose from.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StepEntry",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("asked", models.JSONField(help_text="The template as it was.")),
                        ("number", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        (
                            "said",
                            models.CharField(blank=True, help_text="What was chosen or written.", max_length=2000),
                        ),
                        ("time", models.DateTimeField(blank=True, null=True)),
                        ("photo", models.BinaryField(blank=True, null=True)),
                        ("photo_type", models.CharField(blank=True, max_length=20)),
                        ("is_within", models.BooleanField(verbose_name="as it should be")),
                        ("comment", models.CharField(blank=True, max_length=1000)),
                        ("occurred_at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField()),
                        ("entered_name", models.CharField(max_length=300)),
                        (
                            "entered_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "operation",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="step_entries",
                                to="workorders.operation",
                            ),
                        ),
                        (
                            "second_person",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "template",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="entries",
                                to="batchrecords.steptemplate",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "step entries",
                        "ordering": ["id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("is_within", True), models.Q(("comment", ""), _negated=True), _connector="OR"
                                ),
                                name="step_beyond_has_a_comment",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("second_person__isnull", True),
                                    models.Q(("second_person", models.F("entered_by")), _negated=True),
                                    _connector="OR",
                                ),
                                name="step_second_person_is_another",
                            ),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="deviation",
                    trigger=pgtrigger.compiler.Trigger(
                        name="deviation_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="dd0968c04c366ad49d799f3e96fad0bc737381ff",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_deviation_append_only_9e310",
                            table="batchrecords_deviation",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="resolution",
                    trigger=pgtrigger.compiler.Trigger(
                        name="resolution_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="90150f45442ea6e4c8e6e57146fbacf15e35a5c5",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_resolution_append_only_7d9ec",
                            table="batchrecords_resolution",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="signature",
                    trigger=pgtrigger.compiler.Trigger(
                        name="batch_signature_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="c84bc438ea536af6fb0dc12aa17bc9c9467989b3",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_batch_signature_append_only_5cf5a",
                            table="batchrecords_signature",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="stepentry",
                    trigger=pgtrigger.compiler.Trigger(
                        name="step_entry_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="17659cc51532eb7d9c11d3f15f126e35a1616521",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_step_entry_append_only_e28d8",
                            table="batchrecords_stepentry",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
    ]
