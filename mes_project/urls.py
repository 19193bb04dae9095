"""Every address of the system, in one place: REST for systems, pages for people, health for whoever watches."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import include, path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from core.health import healthz
from screens.preferences import preferences

urlpatterns = [
    path("admin/", admin.site.urls),
    path("login/", LoginView.as_view(redirect_authenticated_user=True), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("preferences/", preferences, name="preferences"),
    path("healthz", healthz, name="healthz"),
    path("api/schema/", SpectacularAPIView.as_view(), name="schema"),
    path("api/docs/", SpectacularSwaggerSplitView.as_view(url_name="schema"), name="api-docs"),
    path("", include("core.custom_field_api")),
    path("", include("enterprise.urls")),
    path("", include("labels.urls")),
    path("", include("products.urls")),
    path("", include("counts.urls")),
    path("", include("downtime.urls")),
    path("", include("workorders.urls")),
    path("", include("materials.urls")),
    path("", include("labor.urls")),
    path("", include("andon.urls")),
    path("", include("quality.urls")),
    path("", include("tracking.urls")),
    path("", include("oee.urls")),
    path("", include("maintenance.urls")),
    path("", include("execution.urls")),
    path("", include("scheduling.urls")),
    path("", include("advice.urls")),
    path("", include("batchrecords.urls")),
    path("", include("erp.urls")),
    path("", include("erp.page_urls")),
    path("", include("reports.urls")),
    path("", include("reports.page_urls")),
    path("", include("connectors.digitme2.urls")),
    path("", include("simulator.urls")),
    path("", include("screens.urls")),
]
