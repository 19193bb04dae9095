"""A plant's set-up goes into a file and comes back from it, byte for byte; a bad file says where,
and changes nothing.
"""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from enterprise.models import Line, Machine
from screens.plant_file import ImportRefused, export_plant, import_plant
from tests import clean_database
from tests.everything import Plant
from tests.factories import make_user

pytestmark = pytest.mark.django_db(transaction=True)


def test_export_into_an_empty_database_is_the_same_file():
    plant = Plant()
    first = export_plant()
    said = first.lower()
    assert plant.machine.code in first
    assert not any(f'"{secret}"' in said for secret in ("password", "pin", "secret", "hashed_key", "id"))
    clean_database.restore()
    assert not Line.objects.exists()
    done = import_plant(first)
    assert done["created"] > 30
    assert export_plant() == first
    again = import_plant(first)
    assert (again["created"], again["changed"]) == (0, 0)
    file = json.loads(first)
    file["things"]["enterprise.machine"][0]["name"] = "Renamed"
    assert import_plant(json.dumps(file))["changed"] == 1
    assert Machine.objects.filter(name="Renamed").count() == 1
    del file["things"]["enterprise.line"][0]["area"]
    file["things"]["enterprise.line"][0]["code"] = "NEW"
    file["things"]["enterprise.area"].append({"code": "X", "name": "X", "site": "nowhere", "colour": 1})
    file["things"]["enterprise.area"].append({"code": "a b", "name": "X", "site": "nowhere"})
    file["things"]["enterprise.machine"][0]["name"] = "Once more"
    with pytest.raises(ImportRefused) as refused:
        import_plant(json.dumps(file))
    faults = "\n".join(refused.value.faults)
    number = len(file["things"]["enterprise.area"])
    assert f"things/enterprise.area/{number - 2}/colour: There is no such field." in faults
    assert f'things/enterprise.area/{number - 1}/site: There is no site "nowhere".' in faults
    assert "things/enterprise.line/0/area" in faults
    assert not Machine.objects.filter(name="Once more").exists()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": "mes-plant", "version": 2, "things": {}}', '{"format": "mes-plant", "version": 1}']
    + [
        f'{{"format": "mes-plant", "version": 1, "things": {things}}}'
        for things in ('{"core.x": []}', '{"enterprise.site": [1]}')
    ],
)
def test_what_is_no_plant_is_refused(text):
    with pytest.raises(ImportRefused):
        import_plant(text)


def test_only_who_administers_all_takes_the_file_out_and_brings_one_in(client):
    client.force_login(make_user("admin"))
    assert client.get("/plant-file/").status_code == client.get("/plant-file/download/").status_code == 403
    client.force_login(make_user(is_superuser=True))
    content = client.get("/plant-file/download/").content
    assert client.post("/plant-file/", {"file": SimpleUploadedFile("p.json", content)}).context["done"]["created"] == 0
    assert client.post("/plant-file/", {"file": SimpleUploadedFile("p.json", b"\xff")}).status_code == 422
    assert client.post("/plant-file/").status_code == 422
