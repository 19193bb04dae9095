"""Addresses for the ERP and other systems."""

from django.urls import re_path

from erp import api

urlpatterns = [
    re_path(r"^erp/outbox/?$", api.OutboxView.as_view(), name="erp-outbox"),
    re_path(r"^erp/import/?$", api.ImportView.as_view(), name="erp-import"),
    re_path(r"^erp/import/(?P<name>[a-z]+)/?$", api.KindImportView.as_view(), name="erp-import-kind"),
    re_path(r"^erp/b2mml/schedule/?$", api.ScheduleView.as_view(), name="erp-b2mml-schedule"),
    re_path(r"^erp/b2mml/performance/?$", api.PerformanceView.as_view(), name="erp-b2mml-performance"),
    re_path(r"^erp/outbox/acknowledge/?$", api.AcknowledgeView.as_view(), name="erp-acknowledge"),
]
