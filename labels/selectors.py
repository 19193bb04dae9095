"""What batches and labels look like, from what was kept of them."""

from collections.abc import Iterator

from django.db.models import Count, QuerySet

from labels.models import Label, LabelBatch
from labels.rendering import Content


def contents_of(batch: LabelBatch) -> Iterator[tuple[str, Content]]:
    """Yield the code of each label of a batch and what it says, in their order."""
    rows = batch.labels.order_by("position").values_list("code", "payload", "texts")
    for code, payload, texts in rows.iterator(chunk_size=500):
        yield code, Content(payload, tuple(texts))


def content_of_label(label: Label) -> Content:
    """Return what a label says."""
    return Content(label.payload, tuple(label.texts))


def with_reprints(labels: QuerySet[Label]) -> QuerySet[Label]:
    """Return labels with `reprint_count`, how often each was printed again."""
    return labels.annotate(reprint_count=Count("reprints"))
