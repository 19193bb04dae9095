"""The presets against the standards' own nodesets, and their installation."""

import os
from io import StringIO
from pathlib import Path
from xml.etree import ElementTree

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command

from connectors.models import StateMap
from connectors.opcua.presets import ITEM_STATES, OPC_30060, OPERATION_MODES, TR88
from connectors.presets import PRESETS, reason_code, wrong_map
from connectors.services import install_preset
from connectors.translation import StateTable
from downtime.models import StateReason
from tests.factories import make_reason

FOLDER = Path(os.environ.get("MES_REAL_DATA") or settings.BASE_DIR.parent / "shared" / "data") / "opcua_nodesets"
XML = "{http://opcfoundation.org/UA/2011/03/UANodeSet.xsd}"
CATEGORY = StateReason.Category

with_nodesets = pytest.mark.skipif(not FOLDER.is_dir(), reason=f"the nodesets are absent: {FOLDER} (MES_REAL_DATA)")


def numbered_states(name):
    """Return state name → (StateNumber, numeric id), as a nodeset has them, of the types that end with `Type`."""
    root = ElementTree.parse(FOLDER / name).getroot()
    nodes = {node.get("NodeId"): node for node in root if node.get("NodeId")}
    found = {}
    for node in root:
        if node.get("BrowseName") == "StateNumber":
            state = nodes[node.get("ParentNodeId")]
            number = int("".join(node.find(f"{XML}Value").itertext()))
            found[state.get("BrowseName").partition(":")[2]] = number, int(state.get("NodeId").rpartition("=")[2])
    return found


@with_nodesets
def test_tr88_numbers_are_the_state_numbers_of_the_packml_nodeset():
    numbers = {name: number for name, (number, _) in numbered_states("Opc.Ua.PackML.NodeSet2.xml").items()}
    # The two that only group others have numbers there, but no machine is in them alone.
    assert (numbers.pop("Running"), numbers.pop("Cleared")) == (18, 19)
    assert {number: name for name, number in numbers.items()} == TR88


@with_nodesets
def test_machinery_numbers_and_ids_are_those_of_the_nodeset():
    found = numbered_states("Opc.Ua.Machinery.NodeSet2.xml")
    assert found == ITEM_STATES | OPERATION_MODES


def test_both_packml_maps_number_the_same_states_in_a_different_way():
    assert sorted(TR88) == list(range(1, 18))
    assert sorted(OPC_30060) == list(range(17))
    assert sorted(TR88.values()) == sorted(OPC_30060.values())
    assert [number for number in TR88 if TR88[number] == OPC_30060.get(number)] == [3]


def test_value_that_only_the_other_packml_map_has_names_that_map():
    assert "packml-opc30060 (Stopped)" in wrong_map("packml-tr88", "0")
    assert "packml-tr88 (Complete)" in wrong_map("packml-opc30060", "17")
    assert wrong_map("packml-tr88", "99") == wrong_map("packml-tr88", "6") == wrong_map("my-own", "0") == ""


@pytest.mark.parametrize(
    ("value", "category"),
    [
        ("Executing+Processing", CATEGORY.RUNNING),
        ("3+3", CATEGORY.RUNNING),
        (
            "nsu=http://opcfoundation.org/UA/Machinery/;i=5006+nsu=http://opcfoundation.org/UA/Machinery/;i=5026",
            CATEGORY.RUNNING,
        ),
        ("Executing+Setup", CATEGORY.CHANGEOVER),
        ("OutOfService+Processing", CATEGORY.UNPLANNED),
        ("NotExecuting+Maintenance", CATEGORY.PLANNED),
        ("0+0", CATEGORY.NOT_SCHEDULED),
    ],
)
def test_machinery_state_and_mode_have_a_category(value, category):
    table = StateTable("machinery", tuple((row[0], row[1]) for row in PRESETS["machinery"]))
    assert table.reason_of(value) == category


def test_every_preset_is_sound():
    for key, rows in PRESETS.items():
        assert len({value for value, _, _ in rows}) == len(rows), key
        categories = {}
        for _, category, name in rows:
            assert category in CATEGORY.values
            assert len(reason_code(key, name)) <= 64
            assert categories.setdefault(reason_code(key, name), category) == category, name


@pytest.mark.django_db
@pytest.mark.parametrize("key", PRESETS)
def test_installing_twice_is_installing_once(key):
    first = install_preset(key)
    reasons = StateReason.objects.count()
    assert install_preset(key) == first
    assert StateReason.objects.count() == reasons
    entries = list(first.entries.values_list("value", "reason__category"))
    assert entries == [(value, category) for value, category, _ in PRESETS[key]]


@pytest.mark.django_db
def test_both_packml_maps_share_their_reasons():
    install_preset("packml-tr88")
    held = StateReason.objects.get(code="PACKML-HELD")
    assert install_preset("packml-opc30060").entries.get(value="15").reason == held
    assert (held.category, held.operator_selectable) == (CATEGORY.UNPLANNED, False)


@pytest.mark.django_db
def test_reasons_of_the_plant_are_used():
    run = make_reason(code="RUN")
    state_map = install_preset("packml-tr88", reasons={"running": "RUN"})
    assert state_map.entries.get(value="6").reason == run
    assert not StateReason.objects.filter(code="PACKML-EXECUTE").exists()


@pytest.mark.django_db
def test_reason_of_another_category_is_refused_and_nothing_is_installed():
    make_reason(CATEGORY.PLANNED, code="PACKML-HELD")
    with pytest.raises(ValueError, match="'PACKML-HELD' is in the category planned"):
        install_preset("packml-tr88")
    assert not StateMap.objects.exists()


@pytest.mark.django_db
def test_what_an_engineer_changed_stays():
    state_map = install_preset("packml-tr88")
    own = make_reason(CATEGORY.PLANNED)
    state_map.entries.filter(value="4").update(reason=own)
    state_map.entries.filter(value="5").delete()
    install_preset("packml-tr88")
    assert state_map.entries.get(value="4").reason == own
    assert state_map.entries.filter(value="5").exists()


@pytest.mark.django_db
def test_command_lists_and_installs():
    said = StringIO()
    call_command("install_state_map", stdout=said)
    assert all(key in said.getvalue() for key in PRESETS)
    make_reason(code="RUN")
    call_command("install_state_map", "machinery", "--reason", "running=RUN", stdout=said)
    call_command("install_state_map", stdout=said)
    assert "machinery: 48 values" in said.getvalue()
    assert "48 values, installed" in said.getvalue()
    with pytest.raises(CommandError, match="is not category=code"):
        call_command("install_state_map", "machinery", "--reason", "RUN", stdout=said)
