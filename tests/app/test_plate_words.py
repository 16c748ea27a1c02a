"""What people say of plates and sightings over REST, with what undoes it, and what is written down of it."""

import csv
import io
from datetime import UTC
from typing import Any

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from app import found, system
from app.searching import Asked
from dashcam.access.models import AuditEntry
from dashcam.catalog.models import Plate
from dashcam.database import reading, writing
from tests.catalog.looked import look, numbers, seen
from tests.catalog.rows import NOON, add_video

Here = system.System


@pytest.fixture
def looked(here: Here, client: TestClient) -> TestClient:
    with writing(here.engine) as session:
        first = [seen("UCRM469", 1.0, 3.0), seen("TAX1", 5.0, 8.0, confidence=0.4), seen("HUCFM469", 8.5, 9.5)]
        look(session, add_video(session, 1), first)
    return client


def plates(here: Here) -> set[str]:
    with reading(here.engine) as session:
        return set(session.scalars(select(Plate.text)))


def correct(client: TestClient, here: Here, shown: str, text: str | None) -> list[str]:
    with reading(here.engine) as session:
        ids = numbers(session, shown)
    answer = client.post("/corrections", json={"sightings": ids, "text": text})
    assert answer.status_code == 200, answer.text
    words: list[str] = answer.json()["words"]
    return words


def test_a_read_is_corrected_and_that_is_taken_back(looked: TestClient, here: Here) -> None:
    words = correct(looked, here, "UCRM469", "ucrm-46g")
    assert plates(here) == {"UCRM46G", "TAX1", "HUCFM469"}
    seen_as = looked.get("/plates/UCRM46G").json()["seen"]
    assert [one["confidence"] for one in seen_as] == [1.0]
    assert looked.delete(f"/corrections/{words[0]}").status_code == 200
    assert plates(here) == {"UCRM469", "TAX1", "HUCFM469"}
    assert looked.delete(f"/corrections/{words[0]}").status_code == 404
    with reading(here.engine) as session:
        said = list(session.scalars(select(AuditEntry.what).order_by(AuditEntry.audit_id)))
    assert said[0] == "corrected a plate: UCRM469 is UCRM46G"
    assert said[-1] == "took a correction of a plate back: UCRM469 is UCRM46G"


def test_what_is_probably_one_car_is_asked_until_somebody_answers(client: TestClient, here: Here) -> None:
    with writing(here.engine) as session:
        unsure = seen("HUCFM469", 3.5, 6.0, confirmed=False, confidence=0.6)
        look(session, add_video(session, 1), [seen("UCRM469", 1.0, 3.0), unsure])

    def asked() -> list[tuple[str, str]]:
        return [(one["text"], one["into"]) for one in client.get("/suggestions").json()]

    assert asked() == [("HUCFM469", "UCRM469")]
    client.put("/plates/HUCFM469/merged", json={"into": "UCRM469"})
    assert asked() == []
    client.delete("/plates/HUCFM469/merged")
    client.put("/plates/UCRM469/apart/HUCFM469")
    assert asked() == []
    client.delete("/plates/UCRM469/apart/HUCFM469")
    assert asked() == [("HUCFM469", "UCRM469")]


def test_two_texts_of_one_car_are_one_plate_until_that_is_taken_back(looked: TestClient, here: Here) -> None:
    assert looked.put("/plates/UCRM469/merged", json={"into": "HUCFM469"}).json() == {"sightings": 1}
    assert looked.get("/plates/ucrm 469").json()["text"] == "HUCFM469"
    assert looked.get("/plates/HUCFM469/note").json()["same"] == ["UCRM469"]
    (one,) = looked.get("/search", params={"q": "ucrm 469"}).json()
    assert (one["text"], one["merged"]) == ("HUCFM469", ["UCRM469"])
    assert "UCRM469: merged into this plate" in page_of("UCRM469", here)
    assert looked.put("/plates/UCRM469/merged", json={"into": "HUCFM469"}).status_code == 409
    assert looked.delete("/plates/UCRM469/merged").json() == {"sightings": 1}
    assert looked.get("/plates/UCRM469").json()["text"] == "UCRM469"


def page_of(text: str, here: Here) -> str:
    asked = Asked(q=text)
    with reading(here.engine) as session:
        return found.piece(asked, 0, found.find(session, asked), UTC, NOON)


def test_what_is_known_of_a_plate_is_written_and_undone_by_what_was_known_before(looked: TestClient) -> None:
    note: dict[str, Any] = {"name": " The neighbour ", "tags": ["van", "Van ", " red  one"], "watched": True}
    before = looked.put("/plates/ucrm469/note", json=note).json()
    known = looked.get("/plates/UCRM469/note").json()
    assert (known["name"], known["tags"], known["watched"]) == ("The neighbour", ["red one", "van"], True)
    looked.put("/plates/UCRM469/note", json=before)
    assert looked.get("/plates/UCRM469/note").json() == before | {"same": []}


def test_what_corrections_teach_is_given_out(looked: TestClient, here: Here) -> None:
    correct(looked, here, "UCRM469", "UCFM469")
    correct(looked, here, "TAX1", None)
    correct(looked, here, "HUCFM469", "HUCFM469")
    rows = list(csv.DictReader(io.StringIO(looked.get("/export/corrections.csv").text)))
    assert [(row["read"], row["truth"]) for row in rows] == [
        ("HUCFM469", "HUCFM469"),
        ("TAX1", ""),
        ("UCRM469", "UCFM469"),
    ]
    crop = f"indoor_nas:heavy_output/{1:016x}/plate_crops/UCRM469-1-300_best_crop.jpg"
    assert rows[2]["crop"] == crop
    assert [one["read"] for one in looked.get("/corrections?limit=1").json()] == ["HUCFM469"]
    wrong = [one for one in looked.get("/corrections/confusions").json() if one["read"] != one["truth"]]
    assert wrong == [{"read": "R", "truth": "F", "count": 1}]
    bands = {band["low"]: (band["right"], band["wrong"]) for band in looked.get("/corrections/bands").json()}
    assert bands[0.9] == (1, 1) and bands[0.0] == (0, 1)


def test_two_plates_that_look_alike_are_said_to_be_two_cars(looked: TestClient) -> None:
    assert looked.put("/plates/UCRM469/apart/HUCFM469").status_code == 200
    assert looked.put("/plates/UCRM469/apart/HUCFM469").status_code == 200
    assert looked.delete("/plates/HUCFM469/apart/UCRM469").status_code == 200
    assert looked.put("/plates/UCRM469/apart/UCRM469").status_code == 409
    assert looked.get("/plates/UCRM469/misreads").json() == []


@pytest.mark.parametrize("body", [{"sightings": [], "text": "A"}, {"sightings": [1]}, {"sightings": [99], "text": "A"}])
def test_what_makes_no_sense_is_refused(looked: TestClient, body: dict[str, Any]) -> None:
    assert looked.post("/corrections", json=body).status_code in (409, 422)
