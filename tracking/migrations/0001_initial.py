import django.contrib.postgres.fields
import django.core.validators
import django.db.models.deletion
import pgtrigger.compiler
import pgtrigger.migrations
import simple_history.models
from django.conf import settings
from django.db import migrations, models

import tracking.state
from core.migration_operations import Together


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("enterprise", "0001_initial"),
        ("products", "0001_initial"),
        ("workorders", "0001_initial"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="HistoricalStageForm",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "operation_code",
                            models.CharField(
                                help_text="The code of the operation in the product's routing: WIRE-BOND. Without a routing, a code of your own.",
                                max_length=32,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                                verbose_name="stage",
                            ),
                        ),
                        ("version", models.PositiveSmallIntegerField(default=1, help_text="1, 2, 3 …")),
                        ("name", models.CharField(max_length=200)),
                        (
                            "sequence",
                            models.PositiveSmallIntegerField(
                                default=10,
                                help_text="10, 20, 30 …: the order of stages where the product has no routing.",
                            ),
                        ),
                        (
                            "positions",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=16),
                                blank=True,
                                default=list,
                                help_text="What is checked apart, with commas between: X, Y. Empty = the unit as a whole.",
                                size=32,
                                verbose_name="sub-units",
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[("draft", "Draft"), ("released", "Released"), ("retired", "Retired")],
                                default="draft",
                                editable=False,
                                max_length=8,
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
                            "product",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.product",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical stage form",
                        "verbose_name_plural": "historical stage forms",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="SerialUnit",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "serial",
                            models.CharField(
                                max_length=100,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[^\\s\\x00-\\x1f\\x7f](?:[^\\x00-\\x1f\\x7f]*[^\\s\\x00-\\x1f\\x7f])?\\Z",
                                        "A serial number is printable, and neither begins nor ends with a space.",
                                    )
                                ],
                                verbose_name="serial number",
                            ),
                        ),
                        ("created_at", models.DateTimeField()),
                        (
                            "status",
                            models.CharField(
                                choices=[
                                    ("not_started", "Not started"),
                                    ("in_process", "In process"),
                                    ("on_hold", "On hold"),
                                    ("finished", "Finished"),
                                    ("dispatched", "Dispatched"),
                                    ("scrapped", "Scrapped"),
                                ],
                                default=tracking.state.UnitStatus["NOT_STARTED"],
                                max_length=11,
                            ),
                        ),
                        ("is_blocked", models.BooleanField(default=False, verbose_name="NOT OK")),
                        ("rework_count", models.PositiveIntegerField(default=0)),
                        ("finished_at", models.DateTimeField(blank=True, null=True)),
                        ("parent_position", models.CharField(blank=True, max_length=64)),
                        (
                            "created_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "order",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty = none.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="serial_units",
                                to="workorders.workorder",
                            ),
                        ),
                        (
                            "parent",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="parts",
                                to="tracking.serialunit",
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="serial_units",
                                to="products.product",
                            ),
                        ),
                        (
                            "replaces",
                            models.OneToOneField(
                                blank=True,
                                help_text="The scrapped unit that it was made for.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="replaced_by",
                                to="tracking.serialunit",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="enterprise.site"
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "indexes": [
                            models.Index(fields=["serial"], name="unit_serial"),
                            models.Index(fields=["order", "status"], name="unit_of_order"),
                            models.Index(fields=["site", "status"], name="unit_of_site"),
                            models.Index(fields=["site", "finished_at"], name="unit_finished"),
                        ],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("product", "serial"),
                                name="serial_once_per_product",
                                violation_error_message="The product has a unit of this serial number already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("serial", ""), _negated=True), name="serial_not_empty"
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("parent__isnull", True),
                                    models.Q(("parent", models.F("id")), _negated=True),
                                    _connector="OR",
                                ),
                                name="unit_not_in_itself",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("parent__isnull", True), ("parent_position", "")),
                                    models.Q(
                                        ("parent__isnull", False), models.Q(("parent_position", ""), _negated=True)
                                    ),
                                    _connector="OR",
                                ),
                                name="unit_position_with_parent",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("parent__isnull", False)),
                                fields=("parent", "parent_position"),
                                name="one_part_at_a_position",
                                violation_error_message="Something else is at that position.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Assembly",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.CharField(max_length=64)),
                        ("assembled_at", models.DateTimeField()),
                        ("idempotency_key", models.CharField(max_length=100)),
                        (
                            "assembled_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "child",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="assembled_into",
                                to="tracking.serialunit",
                            ),
                        ),
                        (
                            "parent",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="assemblies",
                                to="tracking.serialunit",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "assemblies",
                        "ordering": ["-id"],
                        "constraints": [
                            models.UniqueConstraint(fields=("parent", "idempotency_key"), name="assembly_once"),
                            models.CheckConstraint(
                                condition=models.Q(("parent", models.F("child")), _negated=True),
                                name="assembly_not_in_itself",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("position", ""), _negated=True), name="assembly_has_a_position"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StageForm",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "operation_code",
                            models.CharField(
                                help_text="The code of the operation in the product's routing: WIRE-BOND. Without a routing, a code of your own.",
                                max_length=32,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                                verbose_name="stage",
                            ),
                        ),
                        ("version", models.PositiveSmallIntegerField(default=1, help_text="1, 2, 3 …")),
                        ("name", models.CharField(max_length=200)),
                        (
                            "sequence",
                            models.PositiveSmallIntegerField(
                                default=10,
                                help_text="10, 20, 30 …: the order of stages where the product has no routing.",
                            ),
                        ),
                        (
                            "positions",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=16),
                                blank=True,
                                default=list,
                                help_text="What is checked apart, with commas between: X, Y. Empty = the unit as a whole.",
                                size=32,
                                verbose_name="sub-units",
                            ),
                        ),
                        (
                            "status",
                            models.CharField(
                                choices=[("draft", "Draft"), ("released", "Released"), ("retired", "Retired")],
                                default="draft",
                                editable=False,
                                max_length=8,
                            ),
                        ),
                        (
                            "product",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="stage_forms",
                                to="products.product",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["product", "sequence", "operation_code", "-version"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("product", "operation_code", "version"),
                                name="one_stage_form_of_a_version",
                                violation_error_message="There is this version of the stage's form already.",
                            ),
                            models.UniqueConstraint(
                                condition=models.Q(("status", "released")),
                                fields=("product", "operation_code"),
                                name="one_released_stage_form",
                                violation_error_message="Another version is released.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StageField",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("sequence", models.PositiveSmallIntegerField(default=10)),
                        (
                            "code",
                            models.CharField(
                                max_length=32,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                            ),
                        ),
                        ("label", models.CharField(max_length=200)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("ok_nok", "OK / NOT OK / N/A"),
                                    ("number", "Number"),
                                    ("text", "Text"),
                                    ("choice", "Choice"),
                                    ("photo", "Photo"),
                                    ("component", "Scan of a component"),
                                    ("person", "Person"),
                                    ("timestamp", "Date and time"),
                                ],
                                default="ok_nok",
                                max_length=9,
                            ),
                        ),
                        (
                            "required",
                            models.BooleanField(default=True, help_text="The stage is not complete without it."),
                        ),
                        (
                            "per_position",
                            models.BooleanField(
                                default=False,
                                help_text="Filled in once for each of the form's sub-units.",
                                verbose_name="for each sub-unit",
                            ),
                        ),
                        (
                            "filled_by",
                            models.CharField(
                                choices=[("technician", "Technician"), ("quality", "Quality")],
                                default="technician",
                                max_length=10,
                            ),
                        ),
                        ("minimum", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        ("maximum", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        (
                            "choices",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                blank=True,
                                default=list,
                                help_text="For a choice: the values, with commas between.",
                                size=100,
                            ),
                        ),
                        ("help", models.CharField(blank=True, max_length=300, verbose_name="acceptance criterion")),
                        (
                            "component",
                            models.ForeignKey(
                                blank=True,
                                help_text="For a scan: the serial unit of this product becomes part of the unit. Empty = only its number is kept.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="products.product",
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                        (
                            "form",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="fields",
                                to="tracking.stageform",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["form", "sequence", "id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("form", "code"),
                                name="one_stage_field_of_a_code",
                                violation_error_message="The form has a field of that code already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("kind", "number"),
                                    models.Q(("maximum__isnull", True), ("minimum__isnull", True)),
                                    _connector="OR",
                                ),
                                name="stage_field_limits_of_a_number",
                                violation_error_message="Only a number has limits.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("minimum__isnull", True),
                                    ("maximum__isnull", True),
                                    ("maximum__gte", models.F("minimum")),
                                    _connector="OR",
                                ),
                                name="stage_field_limits_in_order",
                                violation_error_message="The maximum is not below the minimum.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("choices__len__gt", 0), ("kind", "choice")),
                                    models.Q(models.Q(("kind", "choice"), _negated=True), ("choices", [])),
                                    _connector="OR",
                                ),
                                name="stage_field_choice_has_choices",
                                violation_error_message="A choice, and only a choice, has values to choose from.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("kind", "component"), ("component__isnull", True), _connector="OR"),
                                name="stage_field_component_of_a_scan",
                                violation_error_message="Only a scan names a component.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="HistoricalStageField",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        ("sequence", models.PositiveSmallIntegerField(default=10)),
                        (
                            "code",
                            models.CharField(
                                max_length=32,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                            ),
                        ),
                        ("label", models.CharField(max_length=200)),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("ok_nok", "OK / NOT OK / N/A"),
                                    ("number", "Number"),
                                    ("text", "Text"),
                                    ("choice", "Choice"),
                                    ("photo", "Photo"),
                                    ("component", "Scan of a component"),
                                    ("person", "Person"),
                                    ("timestamp", "Date and time"),
                                ],
                                default="ok_nok",
                                max_length=9,
                            ),
                        ),
                        (
                            "required",
                            models.BooleanField(default=True, help_text="The stage is not complete without it."),
                        ),
                        (
                            "per_position",
                            models.BooleanField(
                                default=False,
                                help_text="Filled in once for each of the form's sub-units.",
                                verbose_name="for each sub-unit",
                            ),
                        ),
                        (
                            "filled_by",
                            models.CharField(
                                choices=[("technician", "Technician"), ("quality", "Quality")],
                                default="technician",
                                max_length=10,
                            ),
                        ),
                        ("minimum", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        ("maximum", models.DecimalField(blank=True, decimal_places=6, max_digits=18, null=True)),
                        (
                            "choices",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=100),
                                blank=True,
                                default=list,
                                help_text="For a choice: the values, with commas between.",
                                size=100,
                            ),
                        ),
                        ("help", models.CharField(blank=True, max_length=300, verbose_name="acceptance criterion")),
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
                            "component",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="For a scan: the serial unit of this product becomes part of the unit. Empty = only its number is kept.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.product",
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
                            "unit",
                            models.ForeignKey(
                                blank=True,
                                db_column="unit",
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="products.unitofmeasure",
                                to_field="code",
                            ),
                        ),
                        (
                            "form",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="tracking.stageform",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical stage field",
                        "verbose_name_plural": "historical stage fields",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="StagePhoto",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("content_type", models.CharField(max_length=40)),
                        ("content", models.BinaryField()),
                        ("digest", models.CharField(max_length=64)),
                        ("recorded_at", models.DateTimeField()),
                        (
                            "taken_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="photos",
                                to="tracking.serialunit",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["id"],
                        "constraints": [
                            models.UniqueConstraint(fields=("unit", "digest"), name="one_photo_of_a_content")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="UnitStage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("sequence", models.PositiveSmallIntegerField()),
                        ("code", models.CharField(max_length=32)),
                        ("name", models.CharField(max_length=200)),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("open", "0"),
                                    ("processing", "Processing"),
                                    ("ok", "QC OK"),
                                    ("not_ok", "QC NOT OK"),
                                    ("as_is", "Used as is"),
                                ],
                                default=tracking.state.StageState["OPEN"],
                                max_length=10,
                            ),
                        ),
                        ("round", models.PositiveIntegerField(default=1)),
                        ("is_due", models.BooleanField(default=False)),
                        (
                            "reported_good",
                            models.BooleanField(default=False, help_text="The order's operation was told of it."),
                        ),
                        ("reported_scrap", models.BooleanField(default=False)),
                        (
                            "form",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="tracking.stageform",
                            ),
                        ),
                        (
                            "line",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="enterprise.line",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "machine_class",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to="enterprise.machineclass",
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="stages",
                                to="tracking.serialunit",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["unit", "sequence", "id"],
                        "indexes": [
                            models.Index(
                                condition=models.Q(("is_due", True)), fields=["machine"], name="unit_stage_due_at"
                            )
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("unit", "sequence"), name="one_stage_of_a_sequence"),
                            models.UniqueConstraint(fields=("unit", "code"), name="one_stage_of_a_code"),
                            models.UniqueConstraint(
                                condition=models.Q(("is_due", True)), fields=("unit",), name="one_due_stage"
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="UnitEvent",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "kind",
                            models.CharField(
                                choices=[
                                    ("complete", "Stage completed"),
                                    ("rework", "Sent to rework"),
                                    ("use_as_is", "Used as is"),
                                    ("hold", "Put on hold"),
                                    ("release", "Released from hold"),
                                    ("scrap", "Scrapped"),
                                    ("dispatch", "Dispatched"),
                                ],
                                max_length=9,
                            ),
                        ),
                        ("reason", models.CharField(blank=True, max_length=500)),
                        ("occurred_at", models.DateTimeField()),
                        ("idempotency_key", models.CharField(max_length=100)),
                        (
                            "decided_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="events",
                                to="tracking.serialunit",
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                blank=True,
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="events",
                                to="tracking.unitstage",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "constraints": [
                            models.UniqueConstraint(fields=("unit", "idempotency_key"), name="unit_event_once"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("kind__in", ["complete", "rework", "use_as_is"]), ("stage__isnull", False)
                                    ),
                                    models.Q(
                                        models.Q(("kind__in", ["complete", "rework", "use_as_is"]), _negated=True),
                                        ("stage__isnull", True),
                                    ),
                                    _connector="OR",
                                ),
                                name="unit_event_stage_where_one_is_meant",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("kind__in", ["complete", "release", "dispatch"]),
                                    models.Q(("reason", ""), _negated=True),
                                    _connector="OR",
                                ),
                                name="unit_event_reason_where_needed",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StagePassage",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("round", models.PositiveIntegerField()),
                        ("started_at", models.DateTimeField()),
                        ("completed_at", models.DateTimeField(blank=True, null=True)),
                        (
                            "result",
                            models.CharField(
                                choices=[
                                    ("open", "0"),
                                    ("processing", "Processing"),
                                    ("ok", "QC OK"),
                                    ("not_ok", "QC NOT OK"),
                                    ("as_is", "Used as is"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="passages",
                                to="tracking.unitstage",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["stage", "round"],
                        "indexes": [
                            models.Index(condition=models.Q(("round", 1)), fields=["started_at"], name="first_passes")
                        ],
                        "constraints": [
                            models.UniqueConstraint(fields=("stage", "round"), name="one_passage_of_a_round")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StageEntry",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("position", models.CharField(blank=True, max_length=16)),
                        ("value", models.CharField(help_text="Empty = cleared.", max_length=500, null=True)),
                        (
                            "reason",
                            models.CharField(blank=True, help_text="Why what stood there was changed.", max_length=500),
                        ),
                        ("occurred_at", models.DateTimeField()),
                        ("recorded_at", models.DateTimeField()),
                        ("idempotency_key", models.CharField(max_length=100)),
                        (
                            "entered_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "unit",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="entries",
                                to="tracking.serialunit",
                            ),
                        ),
                        (
                            "field",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="tracking.stagefield"
                            ),
                        ),
                        (
                            "stage",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="entries",
                                to="tracking.unitstage",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "stage entries",
                        "ordering": ["-id"],
                        "constraints": [
                            models.UniqueConstraint(fields=("unit", "idempotency_key"), name="stage_entry_once"),
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("value__isnull", True), models.Q(("value", ""), _negated=True), _connector="OR"
                                ),
                                name="stage_entry_value_not_empty",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="AssemblyRemoval",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("reason", models.CharField(max_length=500)),
                        ("removed_at", models.DateTimeField()),
                        ("idempotency_key", models.CharField(max_length=100)),
                        (
                            "assembly",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="removal",
                                to="tracking.assembly",
                            ),
                        ),
                        (
                            "removed_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["-id"],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(("reason", ""), _negated=True), name="removal_has_a_reason"
                            )
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="assemblyremoval",
                    trigger=pgtrigger.compiler.Trigger(
                        name="assembly_removal_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="3766bd1027dfa1bd4d2e4e15e3684f00c6195e1c",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_assembly_removal_append_only_61ad4",
                            table="tracking_assemblyremoval",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="assembly",
                    trigger=pgtrigger.compiler.Trigger(
                        name="assembly_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="ad5bd18a89bf327f048697981b12e13872c5d4ec",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_assembly_append_only_b8435",
                            table="tracking_assembly",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="stagephoto",
                    trigger=pgtrigger.compiler.Trigger(
                        name="stage_photo_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="d803c14e3b79765468c43e03e535ed279223c29a",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_stage_photo_append_only_444b5",
                            table="tracking_stagephoto",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="unitevent",
                    trigger=pgtrigger.compiler.Trigger(
                        name="unit_event_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="be2595d83479ce0316e380eca5402bded49a8f50",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_unit_event_append_only_985f9",
                            table="tracking_unitevent",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="stageentry",
                    trigger=pgtrigger.compiler.Trigger(
                        name="stage_entry_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="e5d7dbf41786c4e473d7c36707d399ab86049ad2",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_stage_entry_append_only_9780f",
                            table="tracking_stageentry",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
    ]
