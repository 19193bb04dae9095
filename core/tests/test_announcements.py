"""What an absent bus costs a writer."""

import pytest
import redis

from core import announcements

pytestmark = pytest.mark.django_db(transaction=True)


class Absent:
    def __init__(self):
        self.asked = 0

    def publish(self, channel, message):
        self.asked += 1
        raise redis.TimeoutError


@pytest.fixture
def bus(monkeypatch, settings):
    absent = Absent()
    settings.REDIS_URL = "unix:///nowhere"
    monkeypatch.setattr(announcements, "_redis", lambda: absent)
    monkeypatch.setattr(announcements, "_away_until", 0.0)
    return absent


def test_absent_bus_is_waited_for_once(bus):
    for _ in range(3):
        announcements.announce("machine", [1])
    assert bus.asked == 1


def test_absent_bus_is_asked_again_later(bus, monkeypatch):
    announcements.announce("machine", [1])
    clock = announcements.time.monotonic()
    monkeypatch.setattr(announcements.time, "monotonic", lambda: clock + announcements.AWAY_SECONDS)
    announcements.announce("machine", [1])
    assert bus.asked == 2
