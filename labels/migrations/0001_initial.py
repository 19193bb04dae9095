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
                    name="HistoricalLabelLayout",
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
                            "labels_what",
                            models.CharField(
                                help_text="A word such as pack, lot or carton: a code is printed once for each of them at a site, then refused.",
                                max_length=40,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                                verbose_name="what is labelled",
                            ),
                        ),
                        (
                            "symbology",
                            models.CharField(
                                choices=[
                                    ("qr", "QR code"),
                                    ("code128", "Code 128"),
                                    ("datamatrix", "DataMatrix"),
                                    ("gs1_datamatrix", "GS1 DataMatrix"),
                                    ("gs1_128", "GS1-128 (EAN-128)"),
                                ],
                                default="qr",
                                max_length=14,
                                verbose_name="symbol",
                            ),
                        ),
                        (
                            "error_level",
                            models.CharField(
                                choices=[("L", "L: 7 %"), ("M", "M: 15 %"), ("Q", "Q: 25 %"), ("H", "H: 30 %")],
                                default="H",
                                help_text="How much of a QR code may be dirty or torn. Other symbols have their own.",
                                max_length=1,
                                verbose_name="error correction",
                            ),
                        ),
                        (
                            "width_mm",
                            models.DecimalField(
                                decimal_places=1,
                                max_digits=5,
                                validators=[
                                    django.core.validators.MinValueValidator(10),
                                    django.core.validators.MaxValueValidator(210),
                                ],
                                verbose_name="width (mm)",
                            ),
                        ),
                        (
                            "height_mm",
                            models.DecimalField(
                                decimal_places=1,
                                max_digits=5,
                                validators=[
                                    django.core.validators.MinValueValidator(8),
                                    django.core.validators.MaxValueValidator(297),
                                ],
                                verbose_name="height (mm)",
                            ),
                        ),
                        (
                            "dpi",
                            models.PositiveSmallIntegerField(
                                default=203,
                                help_text="The printer's: 203, 300 or 600.",
                                validators=[
                                    django.core.validators.MinValueValidator(150),
                                    django.core.validators.MaxValueValidator(600),
                                ],
                                verbose_name="dots per inch",
                            ),
                        ),
                        (
                            "text_mm",
                            models.DecimalField(
                                decimal_places=1,
                                default="2.5",
                                max_digits=3,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(20),
                                ],
                                verbose_name="height of the texts (mm)",
                            ),
                        ),
                        (
                            "base_url",
                            models.CharField(
                                blank=True,
                                help_text="What {base} stands for, such as https://mes.example.com",
                                max_length=200,
                                verbose_name="address",
                            ),
                        ),
                        (
                            "payload",
                            models.CharField(
                                default="{code}",
                                help_text="{code} and any field of the rows to print, {base}, {what}, {site}, {number}, {date}; {code:url} inside an address. GS1: (01){gtin}(21){code}.",
                                max_length=300,
                                verbose_name="text of the symbol",
                            ),
                        ),
                        (
                            "text_lines",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=200),
                                blank=True,
                                default=list,
                                help_text="Lines beside or below the symbol, with commas between; the same fields: {code}, {date}.",
                                size=6,
                                verbose_name="texts",
                            ),
                        ),
                        (
                            "on_sheets",
                            models.BooleanField(
                                default=False,
                                help_text="A PDF has many labels on each A4 page. Off = one on each page.",
                                verbose_name="on A4 sheets",
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
                        "verbose_name": "historical label layout",
                        "verbose_name_plural": "historical label layouts",
                        "ordering": ("-history_date", "-history_id"),
                        "get_latest_by": ("history_date", "history_id"),
                    },
                    bases=(simple_history.models.HistoricalChanges, models.Model),
                ),
                migrations.CreateModel(
                    name="LabelBatch",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("design", models.JSONField(help_text="The layout's size, symbol and resolution on that day.")),
                        ("label_count", models.PositiveIntegerField()),
                        ("recorded_at", models.DateTimeField()),
                        ("idempotency_key", models.CharField(blank=True, max_length=100, null=True, unique=True)),
                        ("request_digest", models.CharField(editable=False, max_length=64)),
                        (
                            "printed_by",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="+",
                                to=settings.AUTH_USER_MODEL,
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="label_batches",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "verbose_name_plural": "label batches",
                        "ordering": ["-id"],
                    },
                ),
                migrations.CreateModel(
                    name="Label",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("labels_what", models.CharField(max_length=40, verbose_name="what is labelled")),
                        ("code", models.CharField(max_length=100)),
                        ("position", models.PositiveIntegerField(help_text="Its place in the batch, from 1.")),
                        ("payload", models.CharField(help_text="What the symbol says.", max_length=1000)),
                        (
                            "texts",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=500), blank=True, default=list, size=None
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="+", to="enterprise.site"
                            ),
                        ),
                        (
                            "batch",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="labels",
                                to="labels.labelbatch",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["batch", "position"],
                        "constraints": [
                            models.UniqueConstraint(
                                fields=("site", "labels_what", "code"),
                                name="label_code_once",
                                violation_error_message="A label with this code was printed already.",
                            ),
                            models.UniqueConstraint(fields=("batch", "position"), name="label_place_in_its_batch"),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LabelLayout",
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
                            "labels_what",
                            models.CharField(
                                help_text="A word such as pack, lot or carton: a code is printed once for each of them at a site, then refused.",
                                max_length=40,
                                validators=[
                                    django.core.validators.RegexValidator(
                                        "^[A-Za-z0-9][A-Za-z0-9._-]*\\Z",
                                        "Use letters, digits, '.', '_' and '-' only, beginning with a letter or digit; it becomes part of addresses.",
                                    )
                                ],
                                verbose_name="what is labelled",
                            ),
                        ),
                        (
                            "symbology",
                            models.CharField(
                                choices=[
                                    ("qr", "QR code"),
                                    ("code128", "Code 128"),
                                    ("datamatrix", "DataMatrix"),
                                    ("gs1_datamatrix", "GS1 DataMatrix"),
                                    ("gs1_128", "GS1-128 (EAN-128)"),
                                ],
                                default="qr",
                                max_length=14,
                                verbose_name="symbol",
                            ),
                        ),
                        (
                            "error_level",
                            models.CharField(
                                choices=[("L", "L: 7 %"), ("M", "M: 15 %"), ("Q", "Q: 25 %"), ("H", "H: 30 %")],
                                default="H",
                                help_text="How much of a QR code may be dirty or torn. Other symbols have their own.",
                                max_length=1,
                                verbose_name="error correction",
                            ),
                        ),
                        (
                            "width_mm",
                            models.DecimalField(
                                decimal_places=1,
                                max_digits=5,
                                validators=[
                                    django.core.validators.MinValueValidator(10),
                                    django.core.validators.MaxValueValidator(210),
                                ],
                                verbose_name="width (mm)",
                            ),
                        ),
                        (
                            "height_mm",
                            models.DecimalField(
                                decimal_places=1,
                                max_digits=5,
                                validators=[
                                    django.core.validators.MinValueValidator(8),
                                    django.core.validators.MaxValueValidator(297),
                                ],
                                verbose_name="height (mm)",
                            ),
                        ),
                        (
                            "dpi",
                            models.PositiveSmallIntegerField(
                                default=203,
                                help_text="The printer's: 203, 300 or 600.",
                                validators=[
                                    django.core.validators.MinValueValidator(150),
                                    django.core.validators.MaxValueValidator(600),
                                ],
                                verbose_name="dots per inch",
                            ),
                        ),
                        (
                            "text_mm",
                            models.DecimalField(
                                decimal_places=1,
                                default="2.5",
                                max_digits=3,
                                validators=[
                                    django.core.validators.MinValueValidator(1),
                                    django.core.validators.MaxValueValidator(20),
                                ],
                                verbose_name="height of the texts (mm)",
                            ),
                        ),
                        (
                            "base_url",
                            models.CharField(
                                blank=True,
                                help_text="What {base} stands for, such as https://mes.example.com",
                                max_length=200,
                                verbose_name="address",
                            ),
                        ),
                        (
                            "payload",
                            models.CharField(
                                default="{code}",
                                help_text="{code} and any field of the rows to print, {base}, {what}, {site}, {number}, {date}; {code:url} inside an address. GS1: (01){gtin}(21){code}.",
                                max_length=300,
                                verbose_name="text of the symbol",
                            ),
                        ),
                        (
                            "text_lines",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.CharField(max_length=200),
                                blank=True,
                                default=list,
                                help_text="Lines beside or below the symbol, with commas between; the same fields: {code}, {date}.",
                                size=6,
                                verbose_name="texts",
                            ),
                        ),
                        (
                            "on_sheets",
                            models.BooleanField(
                                default=False,
                                help_text="A PDF has many labels on each A4 page. Off = one on each page.",
                                verbose_name="on A4 sheets",
                            ),
                        ),
                        (
                            "site",
                            models.ForeignKey(
                                blank=True,
                                help_text="Empty = for every site.",
                                null=True,
                                on_delete=django.db.models.deletion.PROTECT,
                                related_name="label_layouts",
                                to="enterprise.site",
                            ),
                        ),
                    ],
                    options={
                        "ordering": ["code"],
                        "abstract": False,
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("payload__contains", "{code}"),
                                    ("payload__contains", "{code:url}"),
                                    _connector="OR",
                                ),
                                name="label_layout_names_its_code",
                                violation_error_message="The symbol holds {code}, or two labels could not be told apart.",
                            )
                        ],
                    },
                ),
            ]
        ),
        migrations.AddField(
            model_name="labelbatch",
            name="layout",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.PROTECT, related_name="batches", to="labels.labellayout"
            ),
        ),
        Together(
            [
                migrations.CreateModel(
                    name="LabelReprint",
                    fields=[
                        (
                            "id",
                            models.BigAutoField(
                                auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                            ),
                        ),
                        ("reason", models.CharField(max_length=500)),
                        ("recorded_at", models.DateTimeField()),
                        ("idempotency_key", models.CharField(blank=True, max_length=100, null=True, unique=True)),
                        (
                            "label",
                            models.ForeignKey(
                                on_delete=django.db.models.deletion.PROTECT, related_name="reprints", to="labels.label"
                            ),
                        ),
                        (
                            "printed_by",
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
                                condition=models.Q(("reason", ""), _negated=True), name="label_reprint_has_a_reason"
                            )
                        ],
                    },
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="label",
                    trigger=pgtrigger.compiler.Trigger(
                        name="label_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="8ca7a5d1a354a96efa3f372f808d026e5b7fcfa9",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_label_append_only_fc9e0",
                            table="labels_label",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="labelbatch",
                    trigger=pgtrigger.compiler.Trigger(
                        name="label_batch_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="d90b67ab290f92b288a7de56e039f241c5589647",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_label_batch_append_only_4af7a",
                            table="labels_labelbatch",
                            when="BEFORE",
                        ),
                    ),
                ),
                pgtrigger.migrations.AddTrigger(
                    model_name="labelreprint",
                    trigger=pgtrigger.compiler.Trigger(
                        name="label_reprint_append_only",
                        sql=pgtrigger.compiler.UpsertTriggerSql(
                            func="RAISE EXCEPTION 'pgtrigger: Cannot update or delete rows from % table', TG_TABLE_NAME;",
                            hash="16df3fda1f8cc65af1c18e5802ba491024715f17",
                            operation="UPDATE OR DELETE",
                            pgid="pgtrigger_label_reprint_append_only_a2d32",
                            table="labels_labelreprint",
                            when="BEFORE",
                        ),
                    ),
                ),
            ]
        ),
    ]
