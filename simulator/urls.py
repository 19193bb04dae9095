"""Addresses of the simulator: its page, and the same by REST."""

from django.urls import path, re_path

from simulator.api import SimulationView
from simulator.views import index

app_name = "simulator"
urlpatterns = [
    path("simulator/", index, name="index"),
    re_path(r"^simulation/?$", SimulationView.as_view(), name="simulation"),
]
