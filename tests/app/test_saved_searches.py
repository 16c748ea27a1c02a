"""Searches that people keep, over REST; and the same search as a table of sightings."""

from fastapi.testclient import TestClient

from app import found
from app.searching import understood
from app.system import System
from dashcam.catalog import deletions, notes, reviews
from dashcam.catalog.notes import Note
from dashcam.catalog.reviews import Mark
from dashcam.database import writing
from tests.catalog.rows import NOON, add_sighting, add_video


def test_a_search_is_kept_replaced_and_removed(client: TestClient) -> None:
    new = {"name": " The  van "}
    kept = client.post("/searches", params={"q": "B57", "camera": "rear", "near": "true"}, json=new).json()
    assert (kept["name"], kept["query"]) == ("The van", "q=B57&near=1&camera=rear")
    client.post("/searches", params={"q": "B577"}, json=new)
    (only,) = client.get("/searches").json()
    assert only["query"] == "q=B577"
    assert client.post("/searches", params={"q": "B577"}, json={"name": "  "}).status_code == 409
    assert client.post("/searches", params={"box": "1,2"}, json=new).status_code == 422
    assert client.delete(f"/searches/{only['search_id']}").status_code == 204
    assert client.delete(f"/searches/{only['search_id']}").status_code == 404
    assert client.get("/searches").json() == []


def test_no_search_names_a_plate_that_is_deleted(client: TestClient, here: System) -> None:
    with writing(here.engine) as session:
        add_sighting(session, add_video(session, 1), "B577PRO")
    for name, text in (("the van", "b5-77 pro"), ("B577PRO again", "B5"), ("another", "B57")):
        client.post("/searches", params={"q": text}, json={"name": name})
    with writing(here.engine) as session:
        deletions.delete_plate(session, "B577PRO", deletions.names_for(session, here.site), NOON)
    assert [one["name"] for one in client.get("/searches").json()] == ["another"]


def test_the_export_has_the_sightings_that_the_search_finds(client: TestClient, here: System) -> None:
    with writing(here.engine) as session:
        for number, text in enumerate(("LT23CGK", "LTZ3CGK", "DX17ZWH")):
            add_sighting(session, add_video(session, number, camera="rear" if number else "front"), text)

    def exported(**asked: str) -> set[str]:
        return {line.split(",")[0] for line in client.get("/export/sightings.csv", params=asked).text.splitlines()[1:]}

    assert exported(q="LT23CGK", near="true") == {"LT23CGK", "LTZ3CGK"}
    assert exported(q="LT23") == exported(camera="front") == {"LT23CGK"}
    assert exported(q="*H", first="2026-06-28", last="2026-06-28") == {"DX17ZWH"}
    assert exported(camera="rear", times="2") == set()


def test_tags_and_ones_own_marks_are_asked_for_as_on_the_page(client: TestClient, here: System) -> None:
    with writing(here.engine) as session:
        for number, text in enumerate(("LT23CGK", "DX17ZWH")):
            add_sighting(session, add_video(session, number), text)
        notes.write(session, "LT23CGK", Note(tags=["neighbour"]), "ana", NOON)
        reviews.mark(session, reviews.OWNER, [Mark(f"{1:016x}", "plate", 2.0)], NOON)
        reviews.mark_clips(session, 5, NOON)

    def asked(**parameters: str) -> list[str]:
        return [one["text"] for one in client.get("/search", params=parameters).json()]

    assert asked(tag="Neighbour") == asked(reviewed="false") == ["LT23CGK"]
    assert asked(reviewed="true") == ["DX17ZWH"]
    assert asked(tag="neighbour", reviewed="1") == []
    assert [one["text"] for one in client.get("/sightings", params={"reviewed": "true"}).json()] == ["DX17ZWH"]
    table = client.get("/export/sightings.csv", params={"tag": "neighbour"}).text.splitlines()
    assert [line.split(",")[0] for line in table[1:]] == ["LT23CGK"]
    kept = client.post("/searches", params={"tag": "neighbour", "reviewed": "false"}, json={"name": "theirs"}).json()
    assert kept["query"] == "tag=neighbour&reviewed=0"
    assert [chip["text"] for chip in found.chips(understood({"tag": "neighbour", "reviewed": "0"}), None)] == [
        "Tagged neighbour",
        "Not reviewed by you",
    ]


def test_of_a_bent_address_what_can_be_understood_counts(here: System) -> None:
    bent = {"q": "x" * 99, "near": "maybe", "times": "-4", "box": "a", "first": "soon", "camera": "rear", "kind": "?"}
    asked = understood(bent)
    assert asked.address() == {"q": "x" * 40, "camera": "rear"}
    assert understood({"near": "0"}).near is False and understood({"near": "0"}).address() == {"near": "0"}
