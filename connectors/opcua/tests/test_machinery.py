"""The Machinery example of the OPC Foundation, served by asyncua, mapped with the preset.

The server of asyncua runs no state machines, so the test writes what a machine would be in.
"""

import asyncio

import pytest
from asyncua import ua

from connectors.models import SignalMapping
from connectors.opcua.tests.plant import Plant
from connectors.opcua.tests.test_client import _impatient, make_connector, running  # noqa: F401
from connectors.opcua.tests.test_presets import FOLDER, with_nodesets
from connectors.services import install_preset
from connectors.tests.live import health, states, until
from tests.factories import make_machine
from tests.servers import free_port

NODESETS = [
    FOLDER / f"Opc.Ua.{name}.NodeSet2.xml" for name in ("Di", "IA", "Machinery", "Machinery.Examples", "PackML")
]
URI, EXAMPLE = "http://opcfoundation.org/UA/Machinery/", "http://opcfoundation.org/UA/Machinery_Example/"
BLOCKS = f"/Objects/nsu={URI};Machines/nsu={EXAMPLE};ExampleMachine01/nsu={URI};MachineryBuildingBlocks"

pytestmark = [pytest.mark.django_db(transaction=True), with_nodesets]


def signals(machine, plant, suffix):
    """Map the example's item state and operation mode to a machine."""
    connector, state_map = make_connector(machine, plant), install_preset("machinery")
    for position, name in enumerate(("MachineryItemState", "MachineryOperationMode"), start=1):
        path = f"{BLOCKS}/nsu={EXAMPLE};{name}/CurrentState{suffix}"
        SignalMapping.objects.create(
            connector=connector, signal=path, machine=machine, state_map=state_map, position=position
        )


async def current_states(plant):
    """Return the variables CurrentState of the example's item state and operation mode."""
    index = await plant.server.get_namespace_index(EXAMPLE)
    blocks = plant.server.get_node(ua.NodeId(5008, index))
    return [
        await blocks.get_child([f"{index}:{name}", "0:CurrentState"])
        for name in ("MachineryItemState", "MachineryOperationMode")
    ]


def test_example_machine_is_mapped_by_its_words():
    machine, plant = make_machine(), Plant(free_port(), nodesets=NODESETS)
    signals(machine, plant, "")

    async def scenario():
        async with running(plant):
            state, mode = await current_states(plant)
            for words, code in (
                (("Executing", "Processing"), "MACHINERY-PROCESSING"),
                (("NotExecuting", "Processing"), "MACHINERY-NOT-EXECUTING"),
                (("NotExecuting", "Maintenance"), "MACHINERY-MAINTENANCE"),
                (("Executing", "Setup"), "MACHINERY-SETUP"),
            ):
                for node, word in zip((state, mode), words, strict=True):
                    await plant.write(node, ua.LocalizedText(word, "en"), ua.VariantType.LocalizedText)
                await until(lambda code=code: states(machine)[-1:] == [code])

    asyncio.run(scenario())
    assert health().refused == 0


def test_example_machine_is_mapped_by_its_node_ids():
    machine, plant = make_machine(), Plant(free_port(), nodesets=NODESETS)
    signals(machine, plant, "/Id")

    async def scenario():
        async with running(plant):
            index = await plant.server.get_namespace_index(URI)
            nodes = [await node.get_child("0:Id") for node in await current_states(plant)]
            for numbers, code in (((5006, 5026), "MACHINERY-PROCESSING"), ((5004, 5026), "MACHINERY-OUT-OF-SERVICE")):
                for node, number in zip(nodes, numbers, strict=True):
                    await plant.write(node, ua.NodeId(number, index), ua.VariantType.NodeId)
                await until(lambda code=code: states(machine)[-1:] == [code])

    asyncio.run(scenario())
