"""Who works where at Vistula Beverages, the machine leader first, and who buys."""

from decimal import Decimal

from simulator.plant import CrewPlan

_PET_POSTS = ("PET-FILLER", "PET-BLOWER", "PET-LABELLER", "PET-PACKER", "PET-PACKER", "PET-FILLER")
_GLASS_POSTS = (
    *("GLASS-FILLER", "GLASS-DEPALLETISER", "GLASS-WASHER"),
    *("GLASS-LABELLER", "GLASS-PACKER", "GLASS-FILLER"),
)


def _people(*rows: str) -> tuple[tuple[str, str, str], ...]:
    """Return people from lines such as "1001 Marek Lis"."""
    number_first_last = [row.split(" ") for row in rows]
    return tuple((number, first, last) for number, first, last in number_first_last)


CREWS = (
    CrewPlan(
        "PET-EARLY",
        "PET",
        "Early",
        _people(
            "1001 Marek Lis",
            "1002 Hanna Duda",
            "1011 Filip Wrona",
            "1012 Iga Sroka",
            "1013 Jan Kruk",
            "1014 Maja Sikora",
        ),
        _PET_POSTS,
        Decimal("11.50"),
    ),
    CrewPlan(
        "PET-LATE",
        "PET",
        "Late",
        _people(
            "1003 Piotr Sowa",
            "1004 Zofia Kania",
            "1015 Kacper Jeleń",
            "1016 Nina Zając",
            "1017 Leon Bocian",
            "1018 Ida Wydra",
        ),
        _PET_POSTS,
        Decimal("11.50"),
    ),
    CrewPlan(
        "PET-NIGHT",
        "PET",
        "Night",
        _people(
            "1005 Adam Wilk",
            "1006 Ewa Jeż",
            "1019 Oskar Borsuk",
            "1020 Pola Łania",
            "1021 Tymon Żuraw",
            "1022 Lidia Sarna",
        ),
        _PET_POSTS,
        Decimal("13.80"),
    ),
    CrewPlan(
        "GLASS-EARLY",
        "GLASS",
        "Early",
        _people(
            "1007 Jan Bóbr", "1008 Ola Gil", "1023 Miron Szpak", "1024 Kaja Czapla", "1025 Bruno Ryś", "1026 Sara Kuna"
        ),
        _GLASS_POSTS,
        Decimal("11.50"),
    ),
    CrewPlan(
        "GLASS-LATE",
        "GLASS",
        "Late",
        _people(
            "1009 Igor Kos", "1010 Lena Czyż", "1027 Wit Dzik", "1028 Zoja Perkoz", "1029 Olaf Łoś", "1030 Mila Drozd"
        ),
        _GLASS_POSTS,
        Decimal("11.50"),
    ),
)

CUSTOMERS = (
    *("Market Sukiennice", "Hotel Wawel", "Kolej Południowa", "Sklepy Zielony Koszyk"),
    *("Karpaty Catering", "Hurtownia Dunajec", "Festiwal Nad Wisłą", "Szpital Miejski"),
)
