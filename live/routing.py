"""The addresses of the sockets."""

from typing import Any

from django.urls import path

from live.consumers import BoardConsumer, ChartConsumer, FloorConsumer, LineConsumer, OverviewConsumer, PlanConsumer

websocket_urlpatterns: list[Any] = [
    path("ws/overview/", OverviewConsumer.as_asgi()),
    path("ws/floor/", FloorConsumer.as_asgi()),
    path("ws/floor/<int:area_id>/", FloorConsumer.as_asgi()),
    path("ws/board/", BoardConsumer.as_asgi()),
    path("ws/board/<int:area_id>/", BoardConsumer.as_asgi()),
    path("ws/charts/<int:chart_id>/", ChartConsumer.as_asgi()),
    path("ws/machines/<int:machine_id>/charts/", ChartConsumer.as_asgi()),
    path("ws/plan/<int:site_id>/", PlanConsumer.as_asgi()),
    path("ws/lines/<int:line_id>/", LineConsumer.as_asgi()),
]
