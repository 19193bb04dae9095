"""The paths that DigitME2's devices know; with or without a slash at the end."""

from django.urls import re_path

from connectors.digitme2 import views

urlpatterns = [
    re_path(rf"^{path}/?$", view, name=f"digitme2-{path.rpartition('/')[2]}")
    for path, view in {
        "api/machine-state-change": views.change_state,
        "api/users": views.users,
        "api/activity-codes": views.activity_codes,
        "api/oee": views.oee,
        "api/activity-durations": views.activity_durations,
        "check-state": views.check_state,
        "android-login": views.log_in,
        "android-logout": views.log_out,
        "android-start-job": views.start_job,
        "android-update": views.update,
        "android-end-job": views.end_job,
        "android-update-quantity": views.update_quantity,
        "pausable-pause-job": views.pause,
        "pausable-resume-job": views.resume,
        "pausable-android-update": views.explain,
    }.items()
]
