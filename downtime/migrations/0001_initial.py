import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("enterprise", "0001_initial"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="StateReason",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
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
                    "category",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("unplanned", "Unplanned stop"),
                            ("planned", "Planned stop"),
                            ("changeover", "Changeover"),
                            ("not_scheduled", "Not scheduled"),
                            ("no_data", "No data"),
                        ],
                        help_text="How OEE counts it.",
                        max_length=14,
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(default=0, help_text="Order among its neighbours."),
                ),
                (
                    "colour",
                    models.CharField(
                        blank=True,
                        help_text="As #rrggbb; empty = the category's.",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}\\Z", "Write the colour as #rrggbb.")
                        ],
                    ),
                ),
                (
                    "operator_selectable",
                    models.BooleanField(default=True, help_text="Offered to people; otherwise only devices send it."),
                ),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("operator", "Operator"),
                                ("supervisor", "Supervisor"),
                                ("engineer", "Engineer"),
                                ("quality", "Quality"),
                                ("erp", "ERP client"),
                                ("admin", "Administrator"),
                            ],
                            max_length=12,
                        ),
                        blank=True,
                        default=list,
                        help_text="Which roles may choose it; none = all.",
                        size=None,
                    ),
                ),
                (
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="children",
                        to="downtime.statereason",
                    ),
                ),
            ],
            options={
                "ordering": ["position", "code"],
                "abstract": False,
            },
        ),
        migrations.CreateModel(
            name="StateHistory",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "machine_id",
                        "occurred_at",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("occurred_at", models.DateTimeField()),
                (
                    "detail",
                    models.CharField(
                        default="", help_text="The device's own words, such as an alarm text.", max_length=500
                    ),
                ),
                ("recorded_at", models.DateTimeField()),
                (
                    "source",
                    models.CharField(
                        default="",
                        help_text="Who delivered it: a device key's prefix or a person.",
                        max_length=64,
                    ),
                ),
                (
                    "machine",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="state_history",
                        to="enterprise.machine",
                    ),
                ),
                (
                    "reason",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="state_history",
                        to="downtime.statereason",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "state history",
                "ordering": ["-occurred_at", "machine_id"],
            },
        ),
        migrations.CreateModel(
            name="StateCorrection",
            fields=[
                (
                    "id",
                    models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID"),
                ),
                ("starts_at", models.DateTimeField()),
                ("ends_at", models.DateTimeField(blank=True, null=True)),
                ("replaces_running", models.BooleanField(default=False)),
                ("comment", models.CharField(max_length=500)),
                ("recorded_at", models.DateTimeField()),
                (
                    "corrected_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
                (
                    "machine",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="state_corrections",
                        to="enterprise.machine",
                    ),
                ),
                (
                    "reason",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="corrections",
                        to="downtime.statereason",
                    ),
                ),
            ],
            options={
                "ordering": ["-id"],
            },
        ),
        migrations.CreateModel(
            name="HistoricalStateReason",
            fields=[
                (
                    "id",
                    models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID"),
                ),
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
                    "category",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("unplanned", "Unplanned stop"),
                            ("planned", "Planned stop"),
                            ("changeover", "Changeover"),
                            ("not_scheduled", "Not scheduled"),
                            ("no_data", "No data"),
                        ],
                        help_text="How OEE counts it.",
                        max_length=14,
                    ),
                ),
                (
                    "position",
                    models.PositiveSmallIntegerField(default=0, help_text="Order among its neighbours."),
                ),
                (
                    "colour",
                    models.CharField(
                        blank=True,
                        help_text="As #rrggbb; empty = the category's.",
                        max_length=7,
                        validators=[
                            django.core.validators.RegexValidator("^#[0-9a-fA-F]{6}\\Z", "Write the colour as #rrggbb.")
                        ],
                    ),
                ),
                (
                    "operator_selectable",
                    models.BooleanField(default=True, help_text="Offered to people; otherwise only devices send it."),
                ),
                (
                    "roles",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(
                            choices=[
                                ("operator", "Operator"),
                                ("supervisor", "Supervisor"),
                                ("engineer", "Engineer"),
                                ("quality", "Quality"),
                                ("erp", "ERP client"),
                                ("admin", "Administrator"),
                            ],
                            max_length=12,
                        ),
                        blank=True,
                        default=list,
                        help_text="Which roles may choose it; none = all.",
                        size=None,
                    ),
                ),
                ("history_id", models.AutoField(primary_key=True, serialize=False)),
                ("history_date", models.DateTimeField(db_index=True)),
                ("history_change_reason", models.CharField(max_length=100, null=True)),
                (
                    "history_type",
                    models.CharField(choices=[("+", "Created"), ("~", "Changed"), ("-", "Deleted")], max_length=1),
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
                    "parent",
                    models.ForeignKey(
                        blank=True,
                        db_constraint=False,
                        null=True,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="downtime.statereason",
                    ),
                ),
            ],
            options={
                "verbose_name": "historical state reason",
                "verbose_name_plural": "historical state reasons",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.AddConstraint(
            model_name="statereason",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("parent__isnull", True),
                    models.Q(("parent", models.F("id")), _negated=True),
                    _connector="OR",
                ),
                name="state_reason_is_not_its_own_parent",
                violation_error_message="A reason cannot be its own parent.",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="statehistory",
            trigger=pgtrigger.compiler.Trigger(
                name="state_history_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="fc35d0dc31c5dfd16036861360249452b6478283",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_state_history_append_only_61326",
                    table="downtime_statehistory",
                    when="BEFORE",
                ),
            ),
        ),
        migrations.AddIndex(
            model_name="statecorrection",
            index=models.Index(fields=["machine", "starts_at"], name="state_correction_of_machine"),
        ),
        migrations.AddConstraint(
            model_name="statecorrection",
            constraint=models.CheckConstraint(
                condition=models.Q(("ends_at__isnull", True), ("ends_at__gt", models.F("starts_at")), _connector="OR"),
                name="state_correction_not_empty",
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="statecorrection",
            trigger=pgtrigger.compiler.Trigger(
                name="state_correction_append_only",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                    hash="958c26a051242de4579c642e4f0fea3cca02b393",
                    operation="UPDATE OR DELETE",
                    pgid="pgtrigger_state_correction_append_only_e1389",
                    table="downtime_statecorrection",
                    when="BEFORE",
                ),
            ),
        ),
    ]
