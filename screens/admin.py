"""The admin's pages that look across the apps: the plant as a tree, the door to it, and what a new plant needs next."""

from typing import Any, cast

from django.contrib import admin
from django.contrib.auth.views import redirect_to_login
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.urls import path, reverse

from operations import views as backup_views
from screens.plant_tree import plant_tree


def plant(request: HttpRequest) -> HttpResponse:
    """Show everything from enterprise to machine as one tree, each with its ways in."""
    user = cast(Any, request.user)
    if not user.has_perm("enterprise.view_machine"):
        raise PermissionDenied
    context = {
        **admin.site.each_context(request),
        "title": "Plant",
        "branches": plant_tree(user),
        "may_add_enterprise": user.has_perm("enterprise.add_enterprise"),
    }
    return TemplateResponse(request, "admin/plant.html", context)


def log_in(request: HttpRequest) -> HttpResponse:
    """Send people to the login page that all screens share."""
    destination = request.GET.get("next") or reverse("admin:index")
    if not request.user.is_authenticated:
        return redirect_to_login(destination)
    if admin.site.has_permission(request):
        return redirect("admin:index")
    # Sending somebody who is logged in to the login page would only bring them back here.
    raise PermissionDenied


def log_out(request: HttpRequest) -> HttpResponse:
    """Send people to the logout that all screens share, as the POST that it was."""
    response = redirect("logout")
    response.status_code = 307
    return response


def extra_urls() -> list[Any]:
    """Return the addresses that the theme's admin site adds to its own."""
    return [
        path("login/", log_in, name="login"),
        path("logout/", log_out, name="logout"),
        path("plant/", admin.site.admin_view(plant), name="plant"),
        *backup_views.urls(),
    ]


# The theme's site asks for these by this name.
cast(Any, admin.site).extra_urls = extra_urls
