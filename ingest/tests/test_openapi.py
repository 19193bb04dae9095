"""What the API documentation says of the device door is what the door takes."""

from datetime import UTC, datetime

import pytest
from drf_spectacular.validation import validate_schema

from ingest.items import CounterEventItem, CountItem, GapItem, MeasurementItem, StateItem, read_item

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.fixture
def document(client, db):
    return client.get("/api/schema/", headers={"accept": "application/vnd.oai.openapi+json"}).json()


def test_document_is_valid_openapi(document):
    validate_schema(document)


@pytest.mark.parametrize("path", ["/ingest/", "/ingest/count", "/ingest/state"])
def test_door_is_documented_with_its_key(document, path):
    operation = document["paths"][path]["post"]
    (scheme,) = (name for requirement in operation["security"] for name in requirement)
    assert document["components"]["securitySchemes"][scheme]["name"] == "Authorization"
    assert {"200", "207", "400", "401", "413", "422", "503"} <= set(operation["responses"])


def test_examples_can_be_sent_as_they_are(document):
    batch = document["paths"]["/ingest/"]["post"]["requestBody"]["content"]["application/json"]["schema"]["example"]
    assert [type(read_item(item, now=NOW)) for item in batch["items"]] == [CountItem, StateItem]
    kinds = {
        "CountItem": CountItem,
        "StateItem": StateItem,
        "CounterEventItem": CounterEventItem,
        "GapItem": GapItem,
        "MeasurementItem": MeasurementItem,
    }
    for name, kind in kinds.items():
        assert isinstance(read_item(document["components"]["schemas"][name]["example"], now=NOW), kind)
