from rest_framework.filters import BaseFilterBackend
from rest_framework.permissions import IsAuthenticated


class RolePermission(IsAuthenticated):
    """stub"""


class SiteScopeFilter(BaseFilterBackend):
    """stub"""
