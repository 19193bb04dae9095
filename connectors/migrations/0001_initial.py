import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models

from core.migration_operations import Together


class Migration(migrations.Migration):
    initial = True

    dependencies = [
        ("accounts", "__first__"),
        ("counts", "0001_initial"),
        ("downtime", "0001_initial"),
        ("enterprise", "0001_initial"),
        ("workorders", "0001_initial"),
    ]

    operations = [
        Together(
            [
                migrations.CreateModel(
                    name="Connector",
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
                            "protocol",
                            models.CharField(
                                choices=[
                                    ("mqtt", "MQTT with JSON"),
                                    ("sparkplug", "MQTT Sparkplug B"),
                                    ("opcua", "OPC UA"),
                                    ("mtconnect", "MTConnect agent"),
                                    ("shdr", "MTConnect adapter (SHDR)"),
                                    ("modbus", "Modbus TCP"),
                                    ("filedrop", "Files in a folder"),
                                    ("digitme2", "DigitME2 tablets and devices"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "address",
                            models.CharField(
                                blank=True,
                                help_text="host:port, an address such as opc.tcp://plc1:4840 or http://agent:5000, or a folder.",
                                max_length=500,
                            ),
                        ),
                        ("username", models.CharField(blank=True, max_length=200)),
                        (
                            "secret_variable",
                            models.CharField(
                                blank=True,
                                help_text="Read the password from this variable of the connecting process instead of storing it.",
                                max_length=100,
                                verbose_name="environment variable of the password",
                            ),
                        ),
                        ("options", models.JSONField(blank=True, default=dict, editable=False)),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="connectors",
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
                    name="StateMap",
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
                            "description",
                            models.TextField(
                                blank=True, help_text="Where the numbers come from, for example a standard."
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                    },
                ),
                migrations.CreateModel(
                    name="ConnectorHealth",
                    fields=[
                        (
                            "connector",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="health",
                                serialize=False,
                                to="connectors.connector",
                            ),
                        ),
                        (
                            "state",
                            models.CharField(
                                choices=[
                                    ("starting", "Starting"),
                                    ("connected", "Connected"),
                                    ("paused", "Failed, tries again"),
                                    ("stopped", "Stopped"),
                                ],
                                max_length=10,
                            ),
                        ),
                        ("since", models.DateTimeField()),
                        (
                            "reported_at",
                            models.DateTimeField(help_text="When the running process last reported at all."),
                        ),
                        ("last_message_at", models.DateTimeField(null=True)),
                        ("last_error", models.CharField(blank=True, max_length=500)),
                        ("last_error_at", models.DateTimeField(null=True)),
                        ("restarts", models.PositiveIntegerField(default=0)),
                        ("messages", models.PositiveBigIntegerField(default=0)),
                        ("accepted", models.PositiveBigIntegerField(default=0)),
                        ("duplicates", models.PositiveBigIntegerField(default=0)),
                        ("refused", models.PositiveBigIntegerField(default=0)),
                        ("gaps", models.PositiveBigIntegerField(default=0)),
                    ],
                    options={
                        "verbose_name_plural": "connector health",
                    },
                ),
                migrations.CreateModel(
                    name="ConnectorSecret",
                    fields=[
                        (
                            "connector",
                            models.OneToOneField(
                                on_delete=django.db.models.deletion.CASCADE,
                                primary_key=True,
                                related_name="secret",
                                serialize=False,
                                to="connectors.connector",
                            ),
                        ),
                        ("encrypted", models.TextField()),
                    ],
                ),
                migrations.CreateModel(
                    name="HistoricalConnector",
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
                            "protocol",
                            models.CharField(
                                choices=[
                                    ("mqtt", "MQTT with JSON"),
                                    ("sparkplug", "MQTT Sparkplug B"),
                                    ("opcua", "OPC UA"),
                                    ("mtconnect", "MTConnect agent"),
                                    ("shdr", "MTConnect adapter (SHDR)"),
                                    ("modbus", "Modbus TCP"),
                                    ("filedrop", "Files in a folder"),
                                    ("digitme2", "DigitME2 tablets and devices"),
                                ],
                                max_length=10,
                            ),
                        ),
                        (
                            "address",
                            models.CharField(
                                blank=True,
                                help_text="host:port, an address such as opc.tcp://plc1:4840 or http://agent:5000, or a folder.",
                                max_length=500,
                            ),
                        ),
                        ("username", models.CharField(blank=True, max_length=200)),
                        (
                            "secret_variable",
                            models.CharField(
                                blank=True,
                                help_text="Read the password from this variable of the connecting process instead of storing it.",
                                max_length=100,
                                verbose_name="environment variable of the password",
                            ),
                        ),
                        ("options", models.JSONField(blank=True, default=dict, editable=False)),
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
                        "verbose_name": "historical connector",
                        "verbose_name_plural": "historical connectors",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalStateMap",
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
                            "description",
                            models.TextField(
                                blank=True, help_text="Where the numbers come from, for example a standard."
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
                    ],
                    options={
                        "verbose_name": "historical state map",
                        "verbose_name_plural": "historical state maps",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalTablet",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "device_uuid",
                            models.CharField(
                                help_text="As the tablet says it, when it first calls.",
                                max_length=200,
                                verbose_name="device id",
                            ),
                        ),
                        ("name", models.CharField(blank=True, max_length=200)),
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
                            "connector",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="connectors.connector",
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
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="Nobody can log in at a tablet without one.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.machine",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical tablet",
                        "verbose_name_plural": "historical tablets",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalStateMapEntry",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "position",
                            models.PositiveSmallIntegerField(default=1, help_text="Entries are tried in this order."),
                        ),
                        (
                            "value",
                            models.CharField(
                                help_text="As the device sends it; * and ? stand for anything. Signals that make up a state are joined by '+'.",
                                max_length=200,
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
                        (
                            "state_map",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="connectors.statemap",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical value",
                        "verbose_name_plural": "historical values",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="HistoricalSignalMapping",
                    fields=[
                        ("id", models.BigIntegerField(auto_created=True, blank=True, db_index=True, verbose_name="ID")),
                        (
                            "signal",
                            models.CharField(
                                help_text="What the device calls it: a topic, metric, node id, data item or register.",
                                max_length=500,
                            ),
                        ),
                        (
                            "position",
                            models.PositiveSmallIntegerField(
                                default=1, help_text="Order among the signals that together make up a machine's state."
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
                            "connector",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="connectors.connector",
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
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="For a state.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "tag",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="For a count.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="counts.counttag",
                            ),
                        ),
                        (
                            "state_map",
                            models.ForeignKey(
                                blank=True,
                                db_constraint=False,
                                help_text="What the values mean; empty = the values are codes of state reasons.",
                                null=True,
                                on_delete=django.db.models.deletion.DO_NOTHING,
                                related_name="+",
                                to="connectors.statemap",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "historical signal",
                        "verbose_name_plural": "historical signals",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="SignalMapping",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "signal",
                            models.CharField(
                                help_text="What the device calls it: a topic, metric, node id, data item or register.",
                                max_length=500,
                            ),
                        ),
                        (
                            "position",
                            models.PositiveSmallIntegerField(
                                default=1, help_text="Order among the signals that together make up a machine's state."
                            ),
                        ),
                        (
                            "connector",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="mappings",
                                to="connectors.connector",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                help_text="For a state.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="signal_mappings",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "tag",
                            models.ForeignKey(
                                blank=True,
                                help_text="For a count.",
                                null=True,
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="signal_mappings",
                                to="counts.counttag",
                            ),
                        ),
                        (
                            "state_map",
                            models.ForeignKey(
                                blank=True,
                                help_text="What the values mean; empty = the values are codes of state reasons.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="mappings",
                                to="connectors.statemap",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "signal",
                        "ordering": ["connector", "machine", "position", "signal"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("connector", "signal", "tag", "machine"),
                                name="signal_mapped_once",
                                nulls_distinct=False,
                                violation_error_message="This signal is mapped to that already.",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(
                                        ("machine__isnull", True), ("state_map__isnull", True), ("tag__isnull", False)
                                    ),
                                    models.Q(("machine__isnull", False), ("tag__isnull", True)),
                                    _connector="OR",
                                ),
                                name="signal_means_count_or_state",
                                violation_error_message="Choose a tag (for a count) or a machine (for a state), not both.",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StateMapEntry",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "position",
                            models.PositiveSmallIntegerField(default=1, help_text="Entries are tried in this order."),
                        ),
                        (
                            "value",
                            models.CharField(
                                help_text="As the device sends it; * and ? stand for anything. Signals that make up a state are joined by '+'.",
                                max_length=200,
                            ),
                        ),
                        (
                            "reason",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="downtime.statereason"
                            ),
                        ),
                        (
                            "state_map",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="entries",
                                to="connectors.statemap",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name": "value",
                        "verbose_name_plural": "values",
                        "ordering": ["state_map", "position", "id"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("state_map", "value"),
                                name="state_map_value_once",
                                violation_error_message="The map has an entry for this value already.",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="StreamPosition",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "stream",
                            models.CharField(
                                help_text="What the device numbers its messages for, such as a topic.", max_length=500
                            ),
                        ),
                        (
                            "machine",
                            models.CharField(
                                help_text="The code of the machine that a hole says something about.", max_length=64
                            ),
                        ),
                        ("position", models.JSONField()),
                        (
                            "connector",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="stream_positions",
                                to="connectors.connector",
                            ),
                        ),
                    ],
                    options={
                        "constraints": [
                            models.UniqueConstraint(fields=("connector", "stream"), name="stream_position_once")
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="Tablet",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        (
                            "device_uuid",
                            models.CharField(
                                help_text="As the tablet says it, when it first calls.",
                                max_length=200,
                                verbose_name="device id",
                            ),
                        ),
                        ("name", models.CharField(blank=True, max_length=200)),
                        ("since", models.DateTimeField(blank=True, editable=False, null=True)),
                        ("ended_good", models.DecimalField(decimal_places=6, editable=False, max_digits=24, null=True)),
                        (
                            "ended_rejects",
                            models.DecimalField(decimal_places=6, editable=False, max_digits=24, null=True),
                        ),
                        (
                            "connector",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="tablets",
                                to="connectors.connector",
                            ),
                        ),
                        (
                            "ended_run",
                            models.ForeignKey(
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to="workorders.run",
                            ),
                        ),
                        (
                            "machine",
                            models.ForeignKey(
                                blank=True,
                                help_text="Nobody can log in at a tablet without one.",
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="tablets",
                                to="enterprise.machine",
                            ),
                        ),
                        (
                            "user",
                            models.ForeignKey(
                                blank=True,
                                editable=False,
                                null=True,
                                on_delete=django.db.models.deletion.SET_NULL,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["connector", "name", "id"],
                        "constraints": [
                            models.UniqueConstraint(fields=("connector", "device_uuid"), name="tablet_once"),
                            models.CheckConstraint(
                                condition=models.Q(("user__isnull", True), ("since__isnull", False), _connector="OR"),
                                name="tablet_session_has_a_start",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="UnmappedSignal",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("signal", models.CharField(max_length=500)),
                        ("last_value", models.CharField(max_length=200)),
                        ("last_received_at", models.DateTimeField()),
                        (
                            "connector",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.CASCADE,
                                related_name="unmapped_signals",
                                to="connectors.connector",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["connector", "signal"],
                        "constraints": [
                            models.UniqueConstraint(fields=("connector", "signal"), name="unmapped_signal_once")
                        ],
                    },
                ),
            ]
        ),
    ]
