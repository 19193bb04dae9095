"""What the bottles of Vistula Beverages are made of, for a thousand of them, and what is sold."""

from decimal import Decimal

from simulator.plant import MaterialPlan, ProductPlan

Bill = tuple[tuple[str, Decimal, str], ...]

_THOUSAND = Decimal(1000)
MATERIALS = (
    MaterialPlan("WATER", "Spring water", "l", Decimal("0.0011")),
    MaterialPlan("CO2", "Carbon dioxide, food grade", "kg", Decimal("0.42"), "Airwell Gases", 7, Decimal(500), 720),
    MaterialPlan("PREFORM-05", "Preform 18 g", "pcs", Decimal("0.031"), "Preformex", 2, Decimal(12_000)),
    MaterialPlan("PREFORM-15", "Preform 32 g", "pcs", Decimal("0.052"), "Preformex", 2, Decimal(7_000)),
    MaterialPlan("CAP-26", "Screw cap 26 mm", "pcs", Decimal("0.0065"), "Capella Closures", 3, Decimal(50_000), 540),
    MaterialPlan("LABEL-PET", "Wrap label", "pcs", Decimal("0.0042"), "Etigraf", 7, Decimal(40_000), 360),
    MaterialPlan("FILM", "Shrink film", "kg", Decimal("1.85"), "Foliplast", 3, Decimal(450)),
    MaterialPlan("BOTTLE-033", "Returnable bottle 0.33 L", "pcs", Decimal("0.012"), "Own pool", 2, Decimal(2_400)),
    MaterialPlan("BOTTLE-07", "Returnable bottle 0.7 L", "pcs", Decimal("0.016"), "Own pool", 2, Decimal(1_200)),
    MaterialPlan("CROWN", "Crown cork 26 mm", "pcs", Decimal("0.0038"), "Capella Closures", 7, Decimal(100_000), 720),
    MaterialPlan("LABEL-GLASS", "Paper label", "pcs", Decimal("0.0031"), "Etigraf", 7, Decimal(60_000), 360),
)


def _bill(litres: str, *, sparkling: bool, bottle: str, closure: str, label: str, film: str = "") -> Bill:
    """Return what a thousand bottles need; a little more of what is lost on the way."""
    water = Decimal(litres) * _THOUSAND
    rows = [
        ("WATER", water * Decimal("1.02"), "FILLER"),
        (bottle, _THOUSAND * Decimal("1.005"), "DEPALLETISER" if bottle.startswith("BOTTLE") else "BLOWER"),
        (closure, _THOUSAND * Decimal("1.008"), "FILLER"),
        (label, _THOUSAND * Decimal("1.01"), "LABELLER"),
    ]
    if sparkling:
        rows.append(("CO2", water * Decimal("0.0065"), "FILLER"))
    if film:
        rows.append(("FILM", Decimal(film), "PACKER"))
    return tuple(rows)


def _pet(litres: str, preform: str, film: str, *, sparkling: bool) -> Bill:
    return _bill(litres, sparkling=sparkling, bottle=preform, closure="CAP-26", label="LABEL-PET", film=film)


def _glass(litres: str, bottle: str, *, sparkling: bool) -> Bill:
    return _bill(litres, sparkling=sparkling, bottle=bottle, closure="CROWN", label="LABEL-GLASS")


def _product(code: str, name: str, format_: str, litres: str, bill: Bill) -> ProductPlan:
    return ProductPlan(code, name, format_, Decimal(litres), bill)


PRODUCTS = (
    _product(
        "STILL-05", "Still water 0.5 L PET", "PET 0.5 L", "0.5", _pet("0.5", "PREFORM-05", "3.2", sparkling=False)
    ),
    _product(
        "SPARK-05", "Sparkling water 0.5 L PET", "PET 0.5 L", "0.5", _pet("0.5", "PREFORM-05", "3.2", sparkling=True)
    ),
    _product(
        "STILL-15", "Still water 1.5 L PET", "PET 1.5 L", "1.5", _pet("1.5", "PREFORM-15", "5.8", sparkling=False)
    ),
    _product(
        "SPARK-15", "Sparkling water 1.5 L PET", "PET 1.5 L", "1.5", _pet("1.5", "PREFORM-15", "5.8", sparkling=True)
    ),
    _product(
        "STILL-033",
        "Still water 0.33 L glass",
        "Glass 0.33 L",
        "0.33",
        _glass("0.33", "BOTTLE-033", sparkling=False),
    ),
    _product(
        "SPARK-033",
        "Sparkling water 0.33 L glass",
        "Glass 0.33 L",
        "0.33",
        _glass("0.33", "BOTTLE-033", sparkling=True),
    ),
    ProductPlan(
        "SPARK-07",
        "Sparkling water 0.7 L glass",
        "Glass 0.7 L",
        Decimal("0.7"),
        _glass("0.7", "BOTTLE-07", sparkling=True),
        has_record=True,
        per_pallet=Decimal(720),
    ),
)
