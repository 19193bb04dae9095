"""The addresses of the sockets."""

from typing import Any

from django.urls import path

from live.consumers import ChartConsumer, LineConsumer, OverviewConsumer, PlanConsumer

websocket_urlpatterns: list[Any] = [
    path("ws/overview/", OverviewConsumer.as_asgi()),
    path("ws/charts/<int:chart_id>/", ChartConsumer.as_asgi()),
    path("ws/plan/<int:site_id>/", PlanConsumer.as_asgi()),
    path("ws/lines/<int:line_id>/", LineConsumer.as_asgi()),
]
