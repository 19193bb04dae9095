"""What happens on the floor is announced to plug-ins by the services that do it."""

from datetime import UTC, datetime, timedelta

import pytest

from core import hooks
from quality.nonconformances import About, raise_nonconformance
from tests.factories import make_line, make_user, make_work_order
from workorders.services import end_run, release_order, start_run

pytestmark = pytest.mark.django_db
AT = datetime(2026, 3, 2, 8, tzinfo=UTC)


def test_runs_orders_and_non_conformances_are_told_once(django_capture_on_commit_callbacks):
    said = []
    hooks.on("*")(said.append)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            line = make_line()
            order = release_order(work_order=make_work_order(line=line), at=AT)
            run = start_run(work_order=order, line=line, started_at=AT)
            ended = end_run(run=run, ended_at=AT + timedelta(hours=1))
            # A correction is no second end.
            ended.save()
            raise_nonconformance(
                site=line.area.site, title="Dented", said=About(work_order=order), actor=make_user(), raised_at=AT
            )
    finally:
        hooks.forget(said.append)
    types = [message.type for message in said]
    assert [type_ for type_ in types if type_ in ("run.started", "run.ended", "nonconformance.raised")] == [
        "run.started",
        "run.ended",
        "nonconformance.raised",
    ]
    assert types.count("order.status_changed") == 2
    raised = said[types.index("nonconformance.raised")]
    assert (raised.data["order"], raised.data["title"]) == (order.order_number, "Dented")
