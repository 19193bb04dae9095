"""Take workbooks in, and say which cell holds what."""

from datetime import datetime
from hashlib import sha256
from typing import Any

from django.db import transaction

from core.errors import Invalid
from core.master_data import follows
from reports.models import WorkbookMapping, WorkbookTemplate, WorkbookVersion
from reports.packages import BadWorkbook
from reports.selectors import fields_of
from reports.workbooks import check


@transaction.atomic
def add_version(
    *, template: WorkbookTemplate, content: bytes, file_name: str, actor: Any, recorded_at: datetime
) -> WorkbookVersion:
    """Keep an uploaded workbook; the same file again is the version that it is already.

    Raises Invalid (file) for what is no plain workbook, or lacks a cell that is mapped.
    """
    WorkbookTemplate.objects.select_for_update().get(pk=template.pk)
    try:
        check(content, fields_of(template.mappings.all()))
    except BadWorkbook as problem:
        raise Invalid(str(problem), field="file") from None
    digest = sha256(content).hexdigest()
    last = template.versions.order_by("-number").defer("content").first()
    if last is not None and last.content_digest == digest:
        return last
    return WorkbookVersion.objects.create(
        template=template,
        number=1 if last is None else last.number + 1,
        content=content,
        size=len(content),
        content_digest=digest,
        file_name=file_name[:200],
        uploaded_by=actor,
        recorded_at=recorded_at,
    )


@follows(WorkbookMapping)
def refuse_what_cannot_be_filled(*, before: WorkbookMapping | None, after: WorkbookMapping | None) -> None:
    """Refuse a mapping to a cell that the workbook does not have, or that holds a formula."""
    if after is None:
        return
    version = after.template.versions.order_by("-number").first()
    if version is None:
        return
    try:
        check(bytes(version.content), fields_of([after]))
    except BadWorkbook as problem:
        raise Invalid(str(problem), field="target") from None
