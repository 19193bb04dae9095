import django.core.validators
import django.db.models.deletion
import simple_history.models
from django.conf import settings
from django.db import migrations, models
from django.utils.text import slugify

TABLES = ("workorder", "historicalworkorder", "demand", "historicaldemand")


def texts_to_customers(apps, schema_editor):
    """Make a customer of each text that orders and demand named theirs by, and let them name it."""
    Customer = apps.get_model("workorders", "Customer")
    texts = set()
    for table in TABLES:
        rows = apps.get_model("workorders", table).objects.exclude(customer_text="")
        texts |= set(rows.order_by().values_list("customer_text", flat=True).distinct())
    taken, customers = set(), []
    for text in sorted(texts):
        stem = slugify(text)[:50].strip("-_") or "customer"
        code, number = stem, 1
        while code in taken:
            number += 1
            code = f"{stem}-{number}"
        taken.add(code)
        customers.append(Customer(code=code, name=text))
    Customer.objects.bulk_create(customers, batch_size=1000)
    for table in TABLES:
        schema_editor.execute(
            f"UPDATE workorders_{table} AS named SET customer_id = customer.id"
            " FROM workorders_customer AS customer WHERE customer.name = named.customer_text"
        )
    # What refers to what is checked now: a table with checks to come cannot lose a column.
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


def customers_to_texts(apps, schema_editor):
    """Let orders and demand name their customers by text again."""
    for table in TABLES:
        schema_editor.execute(
            f"UPDATE workorders_{table} AS named SET customer_text = customer.name"
            " FROM workorders_customer AS customer WHERE customer.id = named.customer_id"
        )
    schema_editor.execute("SET CONSTRAINTS ALL IMMEDIATE")


class Migration(migrations.Migration):
    dependencies = [
        ("workorders", "0003_names_in_languages"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Customer",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
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
                        default=True, help_text="Switch off instead of deleting what has a past.", verbose_name="active"
                    ),
                ),
                (
                    "external_id",
                    models.CharField(
                        blank=True,
                        help_text="What the ERP calls it. Empty = nothing.",
                        max_length=128,
                        null=True,
                        unique=True,
                    ),
                ),
            ],
            options={
                "verbose_name": "customer",
                "verbose_name_plural": "customers",
                "ordering": ["code"],
                "abstract": False,
                "indexes": [models.Index(fields=["name"], name="customer_by_name")],
            },
        ),
        migrations.CreateModel(
            name="HistoricalCustomer",
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
                        default=True, help_text="Switch off instead of deleting what has a past.", verbose_name="active"
                    ),
                ),
                (
                    "external_id",
                    models.CharField(
                        blank=True,
                        db_index=True,
                        help_text="What the ERP calls it. Empty = nothing.",
                        max_length=128,
                        null=True,
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
            ],
            options={
                "verbose_name": "historical customer",
                "verbose_name_plural": "historical customers",
                "ordering": ("-history_date", "-history_id"),
                "get_latest_by": ("history_date", "history_id"),
            },
            bases=(simple_history.models.HistoricalChanges, models.Model),
        ),
        migrations.RenameField("demand", "customer", "customer_text"),
        migrations.RenameField("historicaldemand", "customer", "customer_text"),
        migrations.RenameField("historicalworkorder", "customer", "customer_text"),
        migrations.RenameField("workorder", "customer", "customer_text"),
        migrations.AddField(
            model_name="demand",
            name="customer",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty = nobody in particular.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="demands",
                to="workorders.customer",
            ),
        ),
        migrations.AddField(
            model_name="historicaldemand",
            name="customer",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="Empty = nobody in particular.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="workorders.customer",
            ),
        ),
        migrations.AddField(
            model_name="historicalworkorder",
            name="customer",
            field=models.ForeignKey(
                blank=True,
                db_constraint=False,
                help_text="Empty = nobody in particular.",
                null=True,
                on_delete=django.db.models.deletion.DO_NOTHING,
                related_name="+",
                to="workorders.customer",
            ),
        ),
        migrations.AddField(
            model_name="workorder",
            name="customer",
            field=models.ForeignKey(
                blank=True,
                help_text="Empty = nobody in particular.",
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="work_orders",
                to="workorders.customer",
            ),
        ),
        migrations.RunPython(texts_to_customers, customers_to_texts),
        migrations.RemoveField("demand", "customer_text"),
        migrations.RemoveField("historicaldemand", "customer_text"),
        migrations.RemoveField("historicalworkorder", "customer_text"),
        migrations.RemoveField("workorder", "customer_text"),
    ]
