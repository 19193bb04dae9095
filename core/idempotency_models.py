"""What was answered to a request that named a key, so that its repetition is answered alike."""

from django.conf import settings
from django.db import models


class IdempotentAnswer(models.Model):
    """The answer to a caller's POST with an `Idempotency-Key`, written in the transaction of its effect."""

    caller = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="+")
    key = models.CharField(max_length=200)
    method = models.CharField(max_length=8)
    path = models.TextField()
    body_hash = models.CharField(max_length=64, help_text="SHA-256 of the body.")
    status_code = models.PositiveSmallIntegerField()
    answer = models.TextField(help_text="JSON.")
    recorded_at = models.DateTimeField(db_index=True)

    class Meta:
        constraints = [models.UniqueConstraint(fields=["caller", "key"], name="one_answer_for_a_key")]

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.key}"
