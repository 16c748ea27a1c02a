"""Nobody gets at a file of this machine by its path, however it is spelled: media, maps, exports, files of pages."""

from collections.abc import Iterator
from itertools import product

import pytest

from dashcam.access.roles import Role
from dashcam.database import writing
from tests.app.access.conftest import Home, cookie_of, plain_get
from tests.app.conftest import TOKEN
from tests.catalog.rows import add_sighting, add_video

MINE, OTHERS = f"{1:016x}", f"{2:016x}"
PLANTED = "planted where nobody is to read it"
UPS = ["..", "%2e%2e", "%2E.", ".%2e", "%252e%252e", "..%00", "....", "..;", "%c0%ae%c0%ae", "%uff0e%uff0e", "．．"]
SLASHES = ["/", "%2f", "%5c", "\\", "%252f", "//", "/./", "%c0%af", "%u2215"]
TARGETS = ["secret.json", f"{OTHERS}/secret.json", "secret.json%00.jpg"]
WHOLE = [
    "/etc/passwd",
    "%2fetc%2fpasswd",
    "//etc/passwd",
    "file:///etc/passwd",
    "C:\\Windows\\win.ini",
    "~/.ssh/id_rsa",
]
LINKS = ["link.json", "links/secret.json", "links%2fsecret.json", "linked.jpg"]
PLACES = [
    f"/media/{MINE}/", f"/media/{MINE}/plates/", "/media/", "/maps/videos/", "/maps/trips/", "/maps/plates/", "/maps/",
    "/maps/leaflet/", "/export/track.", "/export/", "/static/", "/static-offline-docs/", "/_nicegui/", "/videos/",
]  # fmt: skip


def corpus() -> Iterator[str]:
    for up, slash, target in product(UPS, SLASHES, TARGETS):
        yield from (f"{(up + slash) * depth}{target}" for depth in (1, 3))


@pytest.fixture
def planted(home: Home) -> Home:
    """What is not to be read lies beside the clip's folder, in another clip's, above the store, and behind links."""
    root = home.here.stores.root("shed_nas")
    with writing(home.here.engine) as session:
        for number in (1, 2):
            video = add_video(session, number, media=f"shed_nas:{number:016x}")
            add_sighting(session, video, "B577PRO", 1.0)
    for folder in (root.parent, root, root / OTHERS):
        folder.mkdir(exist_ok=True)
        (folder / "secret.json").write_text(PLANTED)
    (root / MINE / "plates").mkdir(parents=True)
    (root / MINE / "link.json").symlink_to(root / "secret.json")
    (root / MINE / "linked.jpg").symlink_to(root.parent / "secret.json")
    (root / MINE / "links").symlink_to(root)
    (root / MINE / "own.json").write_text("its own")
    home.add("ana", Role.ADMIN)
    return home


def test_no_spelling_of_a_path_leads_outside(planted: Home) -> None:
    cookie = f"dashcam_session={cookie_of(planted.logged_in('ana'))}"
    assert plain_get(planted, f"/media/{MINE}/own.json", cookie) == (200, b"its own"), "the way in is right"
    spelled = list(corpus())
    some = {f"/media/{MINE}/": [*spelled[::3], *WHOLE, *LINKS]}
    wrong = []
    for place in PLACES:
        for path in some.get(place, spelled[::23]):
            status, content = plain_get(planted, place + path, cookie)
            if status >= 500 or PLANTED.encode() in content or b"root:" in content or b"SQLite format" in content:
                wrong.append((place + path, status))
    assert wrong == []


def test_no_call_takes_in_a_file_from_outside_of_a_store(planted: Home) -> None:
    site = planted.program(TOKEN)
    for path in ("../secret.json", "..\\secret.json", "/etc/passwd", "raw/../../secret.json", "a\x00b.mp4"):
        told = site.post("/ingest", json={"files": [{"device": "shed_nas", "path": path, "type": "video"}]})
        assert told.status_code == 422 or told.json()[0]["status"] == "unreadable", told.text
        assert site.post("/scan", json={"store": "shed_nas", "files": [[path, 34, 1]]}).status_code < 500, path
    assert site.get("/videos").json()["total"] == 2, "nothing was taken in"
