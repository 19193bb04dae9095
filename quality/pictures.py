"""Keep pictures of what was found."""

import hashlib
from datetime import datetime
from typing import Any

from django.db import transaction

from accounts.models import User
from core.errors import Invalid
from core.locks import take_turns
from core.uploads import PDF, read_document
from quality.models import (
    NonConformance,
    Picture,
    Result,
)


@transaction.atomic
def add_picture(
    *,
    content: bytes,
    actor: User,
    recorded_at: datetime,
    result: Result | None = None,
    defect: Any = None,
    nonconformance: NonConformance | None = None,
) -> Picture:
    """Keep a photo of a result, a defect or a non-conformance, made anew by `core.uploads`;
    the same one again is the same.
    """
    upload = read_document(content)
    if upload.content_type == PDF:
        raise Invalid("Choose a picture: JPEG, PNG or WebP.", field="file")
    of = result.inspection if result is not None else defect or nonconformance
    if of is None:
        raise Invalid("Say what it is a picture of.", field="result")
    digest = hashlib.sha256(content).hexdigest()
    identity = {"result": result, "defect": defect, "nonconformance": nonconformance, "digest": digest}
    take_turns("quality picture", of.pk)
    known = Picture.objects.filter(**identity).first()
    if known is not None:
        return known
    return Picture.objects.create(
        **identity,
        site_id=of.site_id,
        content=upload.content,
        content_type=upload.content_type,
        recorded_by=actor,
        recorded_at=recorded_at,
    )
