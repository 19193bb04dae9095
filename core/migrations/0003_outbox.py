import uuid

import pgtrigger.compiler
import pgtrigger.migrations
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("core", "0002_own_tables"),
    ]

    operations = [
        migrations.RunSQL("CREATE SEQUENCE core_outbox_position AS bigint", "DROP SEQUENCE core_outbox_position"),
        migrations.CreateModel(
            name="OutboxMessage",
            fields=[
                ("id", models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name="ID")),
                (
                    "uid",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        help_text="What a receiver knows it by.",
                        unique=True,
                        verbose_name="id",
                    ),
                ),
                ("position", models.BigIntegerField(editable=False, help_text="Empty = not numbered yet.", null=True)),
                ("type", models.CharField(max_length=64)),
                (
                    "key",
                    models.CharField(help_text="Messages of one key are delivered one after another.", max_length=200),
                ),
                (
                    "site_id",
                    models.BigIntegerField(
                        help_text="Whose it is. Empty = it concerns every site.", null=True, verbose_name="site"
                    ),
                ),
                ("data", models.JSONField()),
                ("occurred_at", models.DateTimeField()),
                ("recorded_at", models.DateTimeField()),
            ],
            options={
                "verbose_name": "message to other systems",
                "verbose_name_plural": "messages to other systems",
                "ordering": ["-id"],
                "indexes": [
                    models.Index(
                        condition=models.Q(("position__isnull", True)), fields=["id"], name="outbox_not_numbered"
                    )
                ],
                "constraints": [models.UniqueConstraint(fields=("position",), name="outbox_position_given_once")],
            },
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="outboxmessage",
            trigger=pgtrigger.compiler.Trigger(
                name="outbox_message_is_final",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."data" IS DISTINCT FROM (NEW."data") OR OLD."id" IS DISTINCT FROM (NEW."id") OR OLD."key" IS DISTINCT FROM (NEW."key") OR OLD."occurred_at" IS DISTINCT FROM (NEW."occurred_at") OR OLD."recorded_at" IS DISTINCT FROM (NEW."recorded_at") OR OLD."site_id" IS DISTINCT FROM (NEW."site_id") OR OLD."type" IS DISTINCT FROM (NEW."type") OR OLD."uid" IS DISTINCT FROM (NEW."uid"))',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="762e9e1d349a3dc3b15631a7f831596c5dcafcb9",
                    operation="UPDATE",
                    pgid="pgtrigger_outbox_message_is_final_ccb3c",
                    table="core_outboxmessage",
                    when="BEFORE",
                ),
            ),
        ),
        pgtrigger.migrations.AddTrigger(
            model_name="outboxmessage",
            trigger=pgtrigger.compiler.Trigger(
                name="outbox_position_is_final",
                sql=pgtrigger.compiler.UpsertTriggerSql(
                    condition='WHEN (OLD."position" IS NOT NULL)',
                    func="RAISE EXCEPTION 'pgtrigger: Cannot update rows from % table', TG_TABLE_NAME;",
                    hash="bec6756a4bf1712f1f0fbf7376d2f5e9c24789ce",
                    operation="UPDATE",
                    pgid="pgtrigger_outbox_position_is_final_69d73",
                    table="core_outboxmessage",
                    when="BEFORE",
                ),
            ),
        ),
    ]
