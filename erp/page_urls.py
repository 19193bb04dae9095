"""The addresses of pages for people who bring files in."""

from django.urls import path

from erp import views

app_name = "erp"
urlpatterns = [
    path("erp/upload/", views.upload, name="upload"),
    path("erp/upload/<str:name>", views.template, name="upload-template"),
]
