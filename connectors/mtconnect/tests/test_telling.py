"""States are told once, from the moment from which they hold, whatever the devices' clocks do."""

from datetime import timedelta

from connectors.mtconnect.observations import Condition, Latest, Observation
from connectors.mtconnect.telling import Teller
from connectors.mtconnect.tests.peers import Caught, at, stamp
from connectors.translation import CountSignal, StateSignal, Translator


def make_teller(*signals: str, counts: tuple[str, ...] = (), lost_at=None) -> Teller:
    states = [StateSignal(signal, "M", position, None) for position, signal in enumerate(signals)]
    translator = Translator([*states, *(CountSignal(tag, f"L/{tag}", True) for tag in counts)], no_data="no-data")
    return Teller(translator, Latest(), lost_at)


def seen(item: str, value: str | None, seconds: float, *, device: str = "", name: str = "") -> Observation:
    return Observation(device, item, name, at(seconds), value)


def told(items) -> list[tuple[str, str]]:
    caught = Caught()
    caught.items = list(items)
    return caught.states()


def test_parts_of_one_moment_make_one_state():
    teller = make_teller("exec", "mode")
    first = teller.tell([seen("mode", "AUTO", 0), seen("exec", "READY", 0)], at(0))
    then = teller.tell([seen("mode", "MDI", 1), seen("exec", "ACTIVE", 1)], at(1))
    assert told(first + then) == [("READY+AUTO", "0"), ("ACTIVE+MDI", "1")]


def test_state_that_changes_and_changes_back_in_one_moment_is_not_told():
    teller = make_teller("exec")
    teller.tell([seen("exec", "READY", 0)], at(0))
    assert teller.tell([seen("exec", "ACTIVE", 1), seen("exec", "READY", 1)], at(1)) == []


def test_part_that_comes_late_joins_the_state_that_holds():
    teller = make_teller("exec", "mode")
    items = teller.tell([seen("mode", "AUTO", 0), seen("exec", "READY", 0)], at(0))
    items += teller.tell([seen("exec", "ACTIVE", 5), seen("mode", "MDI", 4.9)], at(5))
    assert told(items) == [("READY+AUTO", "0"), ("ACTIVE+MDI", "5")]


def test_clock_that_goes_back_is_believed_and_the_state_told_anew():
    teller = make_teller("exec")
    items = teller.tell([seen("exec", "READY", 1000), seen("exec", "READY", 10), seen("exec", "ACTIVE", 20)], at(1000))
    assert told(items) == [("READY", "1000"), ("READY", "10"), ("ACTIVE", "20")]


def test_snapshot_tells_a_state_from_its_latest_part_on():
    teller = make_teller("exec", "mode")
    items = teller.snapshot([seen("exec", "READY", 50), seen("mode", "AUTO", 10)])
    assert told(items) == [("READY+AUTO", "50")]


def test_state_from_before_a_loss_is_told_to_hold_on():
    teller = make_teller("exec", lost_at={"M": at(100)})
    assert told(teller.snapshot([seen("exec", "ACTIVE", 50)])) == [("ACTIVE", "50"), ("ACTIVE", "100")]
    late = teller.tell([seen("exec", "READY", 99)], at(101))
    assert [item["at"] for item in late] == [stamp(100)[:-1] + ".000002Z"]


def test_unknown_from_before_a_loss_is_not_told_again():
    teller = make_teller("exec", "mode", lost_at={"M": at(100)})
    assert teller.snapshot([seen("exec", "ACTIVE", 50)]) == []
    assert told(teller.tell([seen("mode", "AUTO", 51)], at(101))) == [("ACTIVE+AUTO", "51"), ("ACTIVE+AUTO", "100")]


def test_state_from_after_a_loss_is_told_once():
    assert told(make_teller("exec", lost_at={"M": at(100)}).snapshot([seen("exec", "ACTIVE", 150)])) == [
        ("ACTIVE", "150")
    ]
    teller = make_teller("exec", lost_at={"M": at(100)})
    assert told(teller.snapshot([seen("exec", None, 150)])) == [("no-data", "150")]


def test_loss_is_told_after_what_was_told_last():
    teller = make_teller("exec")
    teller.tell([seen("exec", "ACTIVE", 100)], at(100))
    items, since = teller.lose(at(90), cause="gone")
    assert since["M"] == at(100) + timedelta(microseconds=1)
    assert (items[0]["state"], items[0]["detail"]) == ("no-data", "gone")


def test_state_is_confirmed_for_the_devices_own_time():
    teller = make_teller("exec")
    teller.tell([seen("exec", "ACTIVE", 0)], at(30))
    assert told(teller.confirm(at(90))) == [("ACTIVE", "60")]
    assert teller.confirm(at(90)) == []


def test_state_is_not_confirmed_for_a_clock_that_is_plainly_another_one():
    teller = make_teller("exec")
    teller.tell([seen("exec", "ACTIVE", 0)], at(4000))
    assert teller.confirm(at(4060)) == []


def test_quiet_device_is_confirmed():
    teller = make_teller("exec")
    teller.snapshot([seen("exec", "ACTIVE", 0)])
    assert told(teller.confirm(at(4000))) == [("ACTIVE", "3998")]


def test_signal_is_looked_up_by_device_first_then_id_then_name():
    observation = seen("e1", "ACTIVE", 0, device="Mill", name="exec")
    for signal in ("Mill/e1", "Mill/exec", "e1", "exec"):
        assert told(make_teller(signal).tell([observation], at())) == [("ACTIVE", "0")]
    two = Translator([StateSignal("exec", "M", 1, None), StateSignal("Mill/exec", "N", 1, None)], no_data="no-data")
    (item,) = Teller(two, Latest()).tell([observation], at())
    assert item["machine"] == "N"
    (item,) = Teller(two, Latest()).tell([seen("e2", "READY", 0, device="Lathe", name="exec")], at())
    assert item["machine"] == "M"


def test_what_nobody_mapped_is_noted_by_its_id():
    translator = Translator([], no_data="no-data")
    Teller(translator, Latest()).tell([seen("e1", "ACTIVE", 0, device="Mill", name="exec")], at())
    assert set(translator.unmapped) == {"e1"}


def test_empty_number_is_no_reading():
    teller = make_teller(counts=("parts",))
    assert teller.tell([seen("parts", "", 0)], at()) == []
    (item,) = teller.tell([seen("parts", "7", 1)], at())
    assert (item["tag"], item["value"], item["at"]) == ("L/parts", 7, stamp(1))


def test_words_of_a_condition_are_the_detail_of_its_state():
    teller = make_teller("c")
    (item,) = teller.tell([Observation("", "c", "", at(), "Fault", Condition("Fault", "7", "7 Door open"))], at())
    assert (item["state"], item["detail"]) == ("Fault", "7 Door open")
    (item,) = teller.tell([Observation("", "c", "", at(1), "Normal", Condition("Normal", "7", "7"))], at())
    assert (item["state"], item["detail"]) == ("Normal", "")
