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
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="RecordedState",
                    fields=[
                        (
                            "id",
                            models.CharField(
                                help_text="The machine's id, @, and the moment in UTC.",
                                max_length=60,
                                primary_key=True,
                                serialize=False,
                            ),
                        ),
                        ("occurred_at", models.DateTimeField()),
                        ("detail", models.CharField(max_length=500)),
                        ("recorded_at", models.DateTimeField()),
                        ("source", models.CharField(max_length=64)),
                    ],
                    options={
                        "db_table": "recorded_state",
                        "ordering": ["-machine_id", "-occurred_at"],
                        "managed": False,
                    },
                ),
                migrations.CreateModel(
                    name="StateReason",
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
                                    django.core.validators.RegexValidator(
                                        "^#[0-9a-fA-F]{6}\\Z", "Write the colour as #rrggbb."
                                    )
                                ],
                            ),
                        ),
                        (
                            "operator_selectable",
                            models.BooleanField(
                                default=True, help_text="Offered to people; otherwise only devices send it."
                            ),
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
                            "is_failure",
                            models.BooleanField(
                                blank=True,
                                help_text="Counts for MTBF and MTTR. Not chosen = yes for an unplanned stop, no for anything else.",
                                null=True,
                                verbose_name="failure",
                            ),
                        ),
                        (
                            "waits_for",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("upstream", "What comes before it (starved)"),
                                    ("downstream", "What comes after it (blocked)"),
                                    ("order", "An order"),
                                ],
                                help_text="The machine itself is well and waits; the cause is looked for there.",
                                max_length=10,
                            ),
                        ),
                        (
                            "maintenance",
                            models.CharField(
                                blank=True,
                                choices=[("corrective", "Corrective"), ("preventive", "Preventive")],
                                max_length=10,
                            ),
                        ),
                        (
                            "explains",
                            models.BooleanField(
                                default=True,
                                help_text="Off = it says that the machine stands, but not why: such time is unexplained until somebody says more.",
                            ),
                        ),
                        (
                            "icon",
                            models.CharField(
                                blank=True,
                                help_text="The name of a Material symbol, such as build; empty = none.",
                                max_length=50,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[a-z0-9_]+\\Z", "Write the icon's name, such as build or local_shipping."
                                    )
                                ],
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
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("parent__isnull", True),
                                    models.Q(("parent", models.F("id")), _negated=True),
                                    _connector="OR",
                                ),
                                name="state_reason_is_not_its_own_parent",
                                violation_error_message="A reason cannot be its own parent.",
                            )
                        ],
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
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("starts_at", models.DateTimeField()),
                        ("ends_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "until_running",
                            models.BooleanField(
                                default=False,
                                help_text="Said of a stop that was not over: it ends when the machine next says that it runs. Derived when read.",
                            ),
                        ),
                        ("replaces_running", models.BooleanField(default=False)),
                        ("comment", models.CharField(blank=True, max_length=500)),
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
                                blank=True,
                                help_text="Empty = as the machine said: what people said of this time is taken back.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="corrections",
                                to="downtime.statereason",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [models.Index(fields=["machine", "starts_at"], name="state_correction_of_machine")],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("ends_at__isnull", True), ("ends_at__gt", models.F("starts_at")), _connector="OR"
                                ),
                                name="state_correction_not_empty",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("until_running", False), ("ends_at__isnull", True), _connector="OR"
                                ),
                                name="state_correction_has_one_end",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ReasonRule",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("name", models.CharField(max_length=100)),
                        (
                            "position",
                            models.PositiveSmallIntegerField(
                                default=0, help_text="The first one that matches decides."
                            ),
                        ),
                        (
                            "detail_match",
                            models.CharField(
                                choices=[("contains", "contains"), ("equals", "is exactly")],
                                default="contains",
                                max_length=8,
                                verbose_name="detail",
                            ),
                        ),
                        (
                            "detail_text",
                            models.CharField(
                                blank=True,
                                help_text="A fault code or a part of an alarm text; large and small letters are alike. Empty = any.",
                                max_length=200,
                            ),
                        ),
                        (
                            "weekdays",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.PositiveSmallIntegerField(
                                    choices=[
                                        (1, "Monday"),
                                        (2, "Tuesday"),
                                        (3, "Wednesday"),
                                        (4, "Thursday"),
                                        (5, "Friday"),
                                        (6, "Saturday"),
                                        (7, "Sunday"),
                                    ]
                                ),
                                blank=True,
                                default=list,
                                help_text="ISO weekdays on which the stop begins: 1 = Monday … 7 = Sunday. None = any.",
                                size=None,
                            ),
                        ),
                        (
                            "start_time",
                            models.TimeField(
                                blank=True,
                                help_text="The stop begins at or after this, on the site's clock. Empty = any time.",
                                null=True,
                            ),
                        ),
                        (
                            "end_time",
                            models.TimeField(
                                blank=True,
                                help_text="The stop begins before this; at or before the start = on the next day.",
                                null=True,
                            ),
                        ),
                        (
                            "valid_from",
                            models.DateTimeField(
                                blank=True,
                                help_text="Stops that began before keep what they had; empty = holds for all of the past.",
                                null=True,
                            ),
                        ),
                        ("is_active", models.BooleanField(default=True, verbose_name="active")),
                        (
                            "line",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="%(class)ss",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="%(class)ss",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="%(class)ss",
                                to="enterprise.site",
                            ),
                        ),
                        (
                            "reason",
                            models.ForeignKey(
                                help_text="The reason that such a stop gets.",
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="rules",
                                to="downtime.statereason",
                            ),
                        ),
                        (
                            "sent_reason",
                            models.ForeignKey(
                                blank=True,
                                help_text="What the machine sent. Empty = any stop.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="rules_for_it",
                                to="downtime.statereason",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["site", "line", "machine", "position", "id"],
                        "abstract": False,
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("line__isnull", True), ("machine__isnull", True), ("site__isnull", False)
                                    ),
                                    models.Q(
                                        ("line__isnull", False), ("machine__isnull", True), ("site__isnull", True)
                                    ),
                                    models.Q(
                                        ("line__isnull", True), ("machine__isnull", False), ("site__isnull", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="reasonrule_has_one_level",
                                violation_error_message="Choose exactly one of site, line and machine.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("sent_reason__isnull", False),
                                    models.Q(("detail_text", ""), _negated=True),
                                    ("weekdays__len__gt", 0),
                                    ("start_time__isnull", False),
                                    _connector="OR",
                                ),
                                name="reason_rule_has_a_condition",
                                violation_error_message="Give at least one condition: what was sent, a text, a time or weekdays.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("end_time__isnull", True), ("start_time__isnull", True)),
                                    models.Q(
                                        ("end_time__isnull", False),
                                        ("start_time__isnull", False),
                                        models.Q(("start_time", models.F("end_time")), _negated=True),
                                    ),
                                    _connector="OR",
                                ),
                                name="reason_rule_times_go_together",
                                violation_error_message="Give both times of the day, and different ones, or neither.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("weekdays__contained_by", [1, 2, 3, 4, 5, 6, 7])),
                                name="reason_rule_weekdays_are_iso",
                                violation_error_message="Weekdays are numbers from 1 (Monday) to 7 (Sunday).",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ReasonPlace",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="%(class)ss",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="%(class)ss",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="%(class)ss",
                                to="enterprise.site",
                            ),
                        ),
                        (
                            "reason",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="places",
                                to="downtime.statereason",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["reason", "id"],
                        "abstract": False,
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("line__isnull", True), ("machine__isnull", True), ("site__isnull", False)
                                    ),
                                    models.Q(
                                        ("line__isnull", False), ("machine__isnull", True), ("site__isnull", True)
                                    ),
                                    models.Q(
                                        ("line__isnull", True), ("machine__isnull", False), ("site__isnull", True)
                                    ),
                                    _connector="OR",
                                ),
                                name="reasonplace_has_one_level",
                                violation_error_message="Choose exactly one of site, line and machine.",
                            ),
                            models.UniqueConstraint(
                                fields=("reason", "site", "line", "machine"),
                                name="reason_offered_once",
                                nulls_distinct=False,
                                violation_error_message="The reason is offered there already.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalStateReason",
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
                                    django.core.validators.RegexValidator(
                                        "^#[0-9a-fA-F]{6}\\Z", "Write the colour as #rrggbb."
                                    )
                                ],
                            ),
                        ),
                        (
                            "operator_selectable",
                            models.BooleanField(
                                default=True, help_text="Offered to people; otherwise only devices send it."
                            ),
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
                            "is_failure",
                            models.BooleanField(
                                blank=True,
                                help_text="Counts for MTBF and MTTR. Not chosen = yes for an unplanned stop, no for anything else.",
                                null=True,
                                verbose_name="failure",
                            ),
                        ),
                        (
                            "waits_for",
                            models.CharField(
                                blank=True,
                                choices=[
                                    ("upstream", "What comes before it (starved)"),
                                    ("downstream", "What comes after it (blocked)"),
                                    ("order", "An order"),
                                ],
                                help_text="The machine itself is well and waits; the cause is looked for there.",
                                max_length=10,
                            ),
                        ),
                        (
                            "maintenance",
                            models.CharField(
                                blank=True,
                                choices=[("corrective", "Corrective"), ("preventive", "Preventive")],
                                max_length=10,
                            ),
                        ),
                        (
                            "explains",
                            models.BooleanField(
                                default=True,
                                help_text="Off = it says that the machine stands, but not why: such time is unexplained until somebody says more.",
                            ),
                        ),
                        (
                            "icon",
                            models.CharField(
                                blank=True,
                                help_text="The name of a Material symbol, such as build; empty = none.",
                                max_length=50,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[a-z0-9_]+\\Z", "Write the icon's name, such as build or local_shipping."
                                    )
                                ],
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
                migrations.CreateModel(
                    name="HistoricalReasonRule",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("name", models.CharField(max_length=100)),
                        (
                            "position",
                            models.PositiveSmallIntegerField(
                                default=0, help_text="The first one that matches decides."
                            ),
                        ),
                        (
                            "detail_match",
                            models.CharField(
                                choices=[("contains", "contains"), ("equals", "is exactly")],
                                default="contains",
                                max_length=8,
                                verbose_name="detail",
                            ),
                        ),
                        (
                            "detail_text",
                            models.CharField(
                                blank=True,
                                help_text="A fault code or a part of an alarm text; large and small letters are alike. Empty = any.",
                                max_length=200,
                            ),
                        ),
                        (
                            "weekdays",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.PositiveSmallIntegerField(
                                    choices=[
                                        (1, "Monday"),
                                        (2, "Tuesday"),
                                        (3, "Wednesday"),
                                        (4, "Thursday"),
                                        (5, "Friday"),
                                        (6, "Saturday"),
                                        (7, "Sunday"),
                                    ]
                                ),
                                blank=True,
                                default=list,
                                help_text="ISO weekdays on which the stop begins: 1 = Monday … 7 = Sunday. None = any.",
                                size=None,
                            ),
                        ),
                        (
                            "start_time",
                            models.TimeField(
                                blank=True,
                                help_text="The stop begins at or after this, on the site's clock. Empty = any time.",
                                null=True,
                            ),
                        ),
                        (
                            "end_time",
                            models.TimeField(
                                blank=True,
                                help_text="The stop begins before this; at or before the start = on the next day.",
                                null=True,
                            ),
                        ),
                        (
                            "valid_from",
                            models.DateTimeField(
                                blank=True,
                                help_text="Stops that began before keep what they had; empty = holds for all of the past.",
                                null=True,
                            ),
                        ),
                        ("is_active", models.BooleanField(default=True, verbose_name="active")),
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
                            "line",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.machine",
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
                        (
                            "reason",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="The reason that such a stop gets.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="downtime.statereason",
                            ),
                        ),
                        (
                            "sent_reason",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="What the machine sent. Empty = any stop.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="downtime.statereason",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical reason rule",
                        "verbose_name_plural": "historical reason rules",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalReasonPlace",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
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
                            "line",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.machine",
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
                        (
                            "reason",
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
                        "verbose_name": "historical reason place",
                        "verbose_name_plural": "historical reason places",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="SignalGap",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("starts_at", models.DateTimeField()),
                        ("ends_at", models.DateTimeField()),
                        (
                            "cause",
                            models.CharField(
                                help_text="How it is known: an overflow, a missing sequence number.", max_length=200
                            ),
                        ),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "source",
                            models.CharField(
                                default="", help_text="Who delivered it: a device key's prefix.", max_length=64
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="signal_gaps",
                                to="enterprise.machine",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-starts_at", "-id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("ends_at__gt", models.F("starts_at"))), name="signal_gap_not_empty"
                            ),
                            models.UniqueConstraint(fields=("machine", "starts_at", "ends_at"), name="signal_gap_once"),
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="signalgap",
                    trigger=pgtrigger.compiler.Trigger(
                        name="signal_gap_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="c9a0546b55e8b0740052ea953d745ec4e55f84af",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_signal_gap_append_only_8c434",
                            table="downtime_signalgap",
                            when="BEFORE",
                        ),
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
        ),
    ]
