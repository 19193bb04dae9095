"""A small packing room for tests of containers: the shop, and short words for what people do there."""

from decimal import Decimal
from typing import Any

from materials import container_moves, containers, packing
from materials.container_models import Container, ContainerStep
from materials.models import MaterialLot
from materials.tests.shop import Shop


class PackingRoom(Shop):
    def carton(self, code: str = "C-1", **overrides: Any) -> Container:
        return containers.open_container(
            **{"code": code, "location": self.store, **self.said, **overrides}
        ).step.container

    def pallet(self, code: str = "P-7", **overrides: Any) -> Container:
        return self.carton(code, **{"kind": "pallet", **overrides})

    def pack(self, container: Container, lot: MaterialLot, quantity: Any, **more: Any) -> ContainerStep:
        return packing.pack(
            container=container,
            product=lot.product,
            lot=lot,
            quantity=Decimal(quantity),
            **{**self.said, **more},
        ).step

    def unpack(self, container: Container, lot: MaterialLot, quantity: Any, **more: Any) -> ContainerStep:
        return packing.unpack(
            container=container,
            product=lot.product,
            lot=lot,
            quantity=Decimal(quantity),
            **{**self.said, **more},
        ).step

    def act(self, name: str, container: Container, **more: Any) -> ContainerStep:
        service = getattr(container_moves if name in ("move", "ship", "bring_back") else containers, name)
        step: ContainerStep = service(container=container, **{**self.said, **more}).step
        return step

    def packed(self, lot: MaterialLot, quantity: Any = 5, code: str = "C-1") -> Container:
        """Return a closed carton with so much of a lot."""
        carton = self.carton(code)
        self.pack(carton, lot, quantity)
        self.act("close", carton)
        return carton

    def loaded(self, lot: MaterialLot, *, cartons: int = 2, each: Any = 2) -> tuple[Container, list[Container]]:
        """Return a closed pallet with closed cartons of a lot."""
        pallet = self.pallet()
        inside = [self.packed(lot, each, f"C-{number}") for number in range(1, cartons + 1)]
        for carton in inside:
            self.act("put_into", carton, into=pallet)
        self.act("close", pallet)
        return pallet, inside
