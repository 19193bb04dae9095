"""What the scripts of the operator's terminal and of stations say, in the reader's language."""

from django.utils.translation import gettext as _

PAD = ("7", "8", "9", "4", "5", "6", "1", "2", "3", "0", ".")


def words() -> dict[str, str]:
    """Return what the page's script says, in the reader's language; {…} is filled in."""
    return {
        "waiting": _("{n} waiting"),
        "refused": _("{n} refused"),
        "offline": _("No connection. Numbers are from {time}; entries are kept and sent later."),
        "skew": _("This tablet's clock is {minutes} min off; entries carry the plant's time."),
        "kept": _("Kept: {what}. It is sent when the server answers."),
        "saved": _("Saved: {what}"),
        "correct": _("Correct it"),
        "discard": _("Throw it away"),
        "discard_sure": _("Press again to throw it away"),
        "not_sent": _("waits"),
        "other_user": _("waits for the log-in that made it"),
        "log_in": _("Log in again, then what waits is sent."),
        "nobody": _("nobody"),
        "no_network": _("That needs the server; try again when it answers."),
        "nothing_here": _("'{code}' is nothing here."),
        "no_code": _("No code was found; try again, closer."),
        **camera_words(),
        "confirm": _("Press again to finish"),
    }


def camera_words() -> dict[str, str]:
    """Return what a page's script says where the camera is not to be had, by the names of static/js/operate-scan.js."""
    return {
        "camera_denied": _(
            "The camera is not allowed here. Allow it in the browser's settings, or take a photo instead."
        ),
        "camera_taken": _("The camera does not answer, or something else uses it; take a photo instead."),
        "no_camera": _("The camera cannot be used; take a photo instead."),
    }
