"""How messages travel to those who fetch them."""

from typing import Any

from rest_framework import serializers

from core.serializers import Plain
from erp.delivering import body_of


class OutboxMessageSerializer(serializers.Serializer):
    """A message: the same, whether it is fetched or sent."""

    id = serializers.UUIDField(help_text="What it is known by: the same message always has the same.")
    position = serializers.CharField()
    type = serializers.CharField()
    key = serializers.CharField(help_text="Messages of one key concern one thing; their order counts.")
    timestamp = serializers.DateTimeField(help_text="When it happened.")
    recorded_at = serializers.DateTimeField()
    data = serializers.DictField()  # type: ignore[assignment]  # a field, not what a serializer holds

    def to_representation(self, instance: Any) -> Any:
        return body_of(instance)


class OutboxPageSerializer(serializers.Serializer):
    """Some messages, and the cursor to go on from."""

    results = OutboxMessageSerializer(many=True)
    cursor = serializers.CharField(help_text="Acknowledge this once all of `results` is kept, and go on after it.")
    has_more = serializers.BooleanField()


class CursorField(serializers.CharField):
    """A position in the outbox, as text."""

    def to_internal_value(self, data: Any) -> int:  # type: ignore[override]
        text = super().to_internal_value(data)
        if not (text.isascii() and text.isdecimal()) or len(text) > 19 or int(text) >= 2**63:
            raise serializers.ValidationError("A cursor is what an earlier answer gave, or 0.")
        return int(text)


class AskedMessagesSerializer(Plain):
    """Which messages are asked for."""

    after = CursorField(required=False, help_text="Only what comes after. Left out = after what was acknowledged.")
    types = serializers.CharField(
        required=False, max_length=1000, help_text="Only these types or groups (`material.*`), with commas between."
    )
    limit = serializers.IntegerField(required=False, default=100, min_value=1, max_value=1000)


class ImportSerializer(serializers.Serializer):
    """Rows by kind; what is in a row, `docs/erp.md` says."""

    customers = serializers.ListField(child=serializers.DictField(), required=False)
    products = serializers.ListField(child=serializers.DictField(), required=False)
    revisions = serializers.ListField(child=serializers.DictField(), required=False)
    orders = serializers.ListField(child=serializers.DictField(), required=False)
    demands = serializers.ListField(child=serializers.DictField(), required=False)
    stock = serializers.ListField(child=serializers.DictField(), required=False)


class FaultSerializer(serializers.Serializer):
    """What is wrong with a row."""

    kind = serializers.CharField()
    row = serializers.IntegerField(
        help_text="Its place in the list, from 1; of a file its row there, where the header is row 1."
    )
    key = serializers.CharField(help_text="What it is called.")
    field = serializers.CharField(help_text="Empty = it concerns no single one.")
    message = serializers.CharField()


class OutcomeSerializer(serializers.Serializer):
    """What became of the rows."""

    counts = serializers.DictField(child=serializers.DictField(child=serializers.IntegerField()))
    faults = FaultSerializer(many=True)


class AcknowledgeSerializer(Plain):
    """Up to where a partner has everything."""

    cursor = CursorField()


class ProgressSerializer(serializers.Serializer):
    """How far a partner is."""

    cursor = serializers.CharField()
    last = serializers.CharField(help_text="The last position that was given.")
