"""Layouts of labels, as spreadsheets."""

from core.resources import MasterDataResource
from labels.models import LabelLayout


class LabelLayoutResource(MasterDataResource):
    """Layouts by code."""

    examples = {
        "code": "PACK",
        "name": "Pack, 50 × 30",
        "labels_what": "pack",
        "symbology": "qr",
        "error_level": "H",
        "width_mm": "50",
        "height_mm": "30",
        "dpi": "203",
        "base_url": "https://mes.example.com",
        "payload": "{base}/entry/{code:url}",
        "is_active": "yes",
    }

    class Meta(MasterDataResource.Meta):
        model = LabelLayout
        fields = (
            *("code", "name", "site", "labels_what", "symbology", "error_level", "width_mm", "height_mm", "dpi"),
            *("text_mm", "base_url", "payload", "on_sheets", "is_active"),
        )
        import_id_fields = ("code",)
