"""A plan is carried out: what goes is what was announced, and nothing goes that is not proven."""

import shutil
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, select

import migrations
from dashcam.catalog import holdings
from dashcam.catalog.models import Holding, RetentionPlan, Video
from dashcam.database import open_engine, reading, writing
from dashcam.records import ClipRecord, Manifest
from dashcam.storage import bundle, layout
from dashcam.storage.roots import StoreMissing, Stores
from dashcam.tasks.client import ServerRefused
from dashcam.upkeep import removing
from dashcam.upkeep.retention import PlanItem
from tests.catalog.rows import add_task
from tests.upkeep.household import MARKER, House, files_under, site_with


@pytest.fixture
def house(tmp_path: Path, engine: Engine) -> House:
    return House(tmp_path / "stores", engine)


@pytest.fixture(scope="module")
def new_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("new") / "dashcam.db"
    engine = open_engine(f"sqlite:///{file}")
    migrations.upgrade(engine)
    engine.dispose()
    return file


def run(house: House, plan_of: Callable[[], Any] | None = None) -> tuple[set[str], removing.Done]:
    """What has gone, and what was said of the rest."""
    before = house.files()
    plan = (plan_of or house.announce)()
    with house.server() as server:
        done = removing.carry_out(server, house.stores, plan)
    return before - house.files(), done


@settings(max_examples=12, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    clips=st.lists(
        st.tuples(
            st.floats(0, 500), st.sampled_from(("", "", "", "protected", "locked", "pending", "changed", "moved away"))
        ),
        min_size=1,
        max_size=6,
    ),
    share=st.sampled_from((1.0, 1e-9)),
)
def test_the_run_unlinks_exactly_what_the_plan_announced(
    clips: list[tuple[float, str]], share: float, new_database: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Announced, run, and looked at on disk; whatever is protected, locked, in work or not due is there still."""
    folder = tmp_path_factory.mktemp("house")
    engine = open_engine(f"sqlite:///{shutil.copy(new_database, folder / 'dashcam.db')}")
    house = House(folder / "stores", engine, site_with(most_of_store=share))
    kept: set[str] = set()
    for number, (days, how) in enumerate(clips, 1):
        video = house.clip(number, days, locked=how == "locked")
        if how == "protected":
            house.protect(video)
        if how == "pending":
            with writing(engine) as session:
                add_task(session, video)
        if how in ("protected", "locked", "pending"):
            kept |= {file for file in house.files() if video.video_id in file or file.endswith(video.name)}
    before = house.files()
    plan = house.announce()
    announced = files_under([uri for item in plan.items for uri in item.uris], before)
    sizes = {file: (house.roots[file.partition(":")[0]] / file.partition(":")[2]).stat().st_size for file in before}
    with house.server() as server:
        done = removing.carry_out(server, house.stores, plan)
        shown = server.call("GET", f"/retention/plans/{plan.plan_id}")
    assert before - house.files() == announced
    assert not announced & kept
    assert (done.removed, done.kept) == (len(plan.items), [])
    assert done.bytes == shown["removed_bytes"] == sum(sizes[file] for file in announced)
    assert shown["removed"] == len(plan.items) and shown["ended_at"]
    for root in (house.roots[layout.SHED] / item.video_id for item in plan.items):
        assert bundle.verify(root, bundle.read_manifest(root)) == [], "every archive matches its manifest still"
    engine.dispose()


def test_each_kind_goes_by_its_own_days(house: House) -> None:
    young, middle, old, ancient = (house.clip(number, days) for number, days in enumerate((5, 40, 100, 400), 1))
    gone, done = run(house)
    assert done.kept == []
    heavy = {f"indoor_nas:heavy_output/{one.video_id}/video_lowres.mp4" for one in (middle, old, ancient)}
    preproc = {f"indoor_nas:preproc/{one.video_id}/candidates.json" for one in (middle, old, ancient)}
    assert gone == heavy | preproc | {old.source, ancient.source, f"shed_nas:{ancient.video_id}/video_lowres.mp4"}
    with reading(house.engine) as session:
        row = session.get_one(Holding, (old.video_id, "raw"))
        assert row.removed_at and row.rule == "storage_retention_days.raw_videos = 90" and row.bytes == 3003
        assert session.get_one(Holding, (young.video_id, "raw")).removed_at is None
    assert run(house)[0] == set(), "once more finds nothing"


def test_until_the_owner_turns_it_on_it_only_reports(tmp_path: Path, engine: Engine) -> None:
    house = House(tmp_path / "stores", engine, site_with(enabled=False))
    house.clip(1, 100)
    before, plan = house.files(), house.announce()
    assert plan.report_only and len(plan.items) == 3
    with house.server() as server, pytest.raises(ServerRefused, match=r"retention\.enabled"):
        removing.carry_out(server, house.stores, plan)
    assert house.files() == before


def test_what_the_plan_refuses_is_not_carried_out(house: House) -> None:
    house.clip(1, 100)
    before, plan = house.files(), house.announce(unattended=True)
    assert "No plan was made between" in plan.refused[0]
    with house.server() as server, pytest.raises(ServerRefused, match="No plan was made"):
        removing.carry_out(server, house.stores, plan)
    assert house.files() == before
    house.announced_before()
    assert not house.announce(unattended=True).refused


def test_a_new_database_beside_a_full_archive_removes_nothing_and_names_rebuild(tmp_path: Path, engine: Engine) -> None:
    """Frigate #7838: the database was missing at start, and every recording was wiped."""
    house = House(tmp_path / "stores", engine)
    house.clip(1, 100)
    house.clip(2, 100)
    empty = open_engine(f"sqlite:///{tmp_path / 'new.db'}")
    migrations.upgrade(empty)
    before = house.files()
    house.engine = house.here.engine = empty
    plan = house.announce()
    assert plan.items == [] and "dashcam rebuild" in plan.refused[0]
    with house.server() as server, pytest.raises(ServerRefused, match="dashcam rebuild"):
        removing.carry_out(server, house.stores, plan)
    assert house.files() == before
    empty.dispose()


def test_a_store_without_its_marker_is_not_there(house: House) -> None:
    house.clip(1, 100)
    (house.roots[layout.INDOOR] / MARKER).unlink()
    before, plan = house.files(), house.announce()
    assert "Store indoor_nas is not there" in plan.refused[0]
    assert house.files() == before


def test_a_marker_that_goes_meanwhile_stops_the_run(house: House) -> None:
    house.clip(1, 100)
    plan, before = house.announce(), house.files()
    (house.roots[layout.INDOOR] / MARKER).unlink()
    with house.server() as server, pytest.raises(StoreMissing):
        removing.carry_out(server, house.stores, plan)
    assert house.files() == before
    with reading(house.engine) as session:
        row = session.get_one(RetentionPlan, plan.plan_id)
        assert row.ended_at and "stopped" in row.kept[0] and row.removed == 0


def test_a_clip_whose_archive_does_not_match_its_manifest_stays(house: House) -> None:
    video = house.clip(1, 100)
    crop = house.roots[layout.SHED] / video.video_id / "plates/p_best_crop.jpg"
    crop.write_bytes(b"x" + crop.read_bytes()[1:])
    gone, done = run(house)
    assert gone == set() and done.removed == 0
    assert all("other content than the manifest says" in said for said in done.kept) and len(done.kept) == 3


def test_a_clip_whose_archive_was_made_from_another_one_stays(house: House) -> None:
    video = house.clip(1, 100)
    shutil.rmtree(house.roots[layout.SHED] / video.video_id)
    house.archive(video.video_id, "ab" * 32, video.name)
    gone, done = run(house)
    assert gone == set() and "made from another clip" in done.kept[0]


def test_a_clip_whose_archive_lost_its_small_copy_stays(house: House) -> None:
    video = house.clip(1, 100)
    folder = house.roots[layout.SHED] / video.video_id
    removing._small_copy(folder, bundle.read_manifest(folder))  # by nobody's rule
    gone, done = run(house)
    assert gone == set() and "has no video_lowres.mp4" in done.kept[0]


def test_what_changed_since_the_plan_counts(house: House) -> None:
    """A mark, a new task and another file at the place, each after the announcement."""
    protected, in_work, replaced = (house.clip(number, 100) for number in (1, 2, 3))
    plan = house.announce()
    house.protect(protected)
    with writing(house.engine) as session:
        add_task(session, session.get_one(Video, in_work.video_id))
    (house.roots[layout.INDOOR] / replaced.source.partition(":")[2]).write_bytes(b"another clip")
    gone, done = run(house, lambda: plan)
    assert gone == {
        f"indoor_nas:{kind}/{replaced.video_id}/{name}"
        for kind, name in (("preproc", "candidates.json"), ("heavy_output", "video_lowres.mp4"))
    }
    told = " ".join(done.kept)
    assert "Ana" in told and "HEAVY_PROCESS_VIDEO" in told and "another clip now" in told


def test_a_plan_is_carried_out_once_soon_and_under_its_own_rules(house: House) -> None:
    house.clip(1, 100)
    plan = house.announce()
    run(house, lambda: plan)
    with house.server() as server:
        with pytest.raises(ServerRefused, match="was begun before"):
            removing.carry_out(server, house.stores, plan)
        house.clip(2, 100)
        late = house.announce()
        with writing(house.engine) as session:
            row = session.get_one(RetentionPlan, late.plan_id)
            row.plan = row.plan | {"made_at": (datetime.now(UTC) - timedelta(hours=27)).isoformat()}
        with pytest.raises(ServerRefused, match="make another one"):
            removing.carry_out(server, house.stores, late)
        changed = house.announce()
        house.here.site = site_with(days={"raw_videos": 1000})
        with pytest.raises(ServerRefused, match="rules have changed"):
            removing.carry_out(server, house.stores, changed)
        with pytest.raises(ServerRefused, match="There is no plan 99"):
            server.call("POST", "/retention/plans/99/begin")
        with pytest.raises(ServerRefused, match="is not being carried out"):
            server.call("POST", f"/retention/plans/{plan.plan_id}/check", json={"kind": "raw", "video_id": "x"})


def test_a_failed_unlink_is_no_success(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    video = house.clip(1, 100)

    def refused(path: Path, missing_ok: bool = False) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr(Path, "unlink", refused)
    gone, done = run(house)
    monkeypatch.undo()
    assert video.source not in gone
    assert done.removed == 2 and "No right to use" in done.kept[0]
    with reading(house.engine) as session:
        assert session.get_one(Holding, (video.video_id, "raw")).removed_at is None


def test_a_run_cut_off_between_unlinking_and_saying_so_is_settled_by_the_next(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    video = house.clip(1, 100)
    real = removing.MainServerClient.call

    def silent(self: Any, method: str, path: str, **more: Any) -> Any:
        if path.endswith("/removed"):
            raise KeyboardInterrupt
        return real(self, method, path, **more)

    with house.server() as server, monkeypatch.context() as patched:
        patched.setattr(removing.MainServerClient, "call", silent)
        with pytest.raises(KeyboardInterrupt):
            removing.carry_out(server, house.stores, house.announce())
    gone_before = {f"indoor_nas:heavy_output/{video.video_id}/video_lowres.mp4"}
    assert not gone_before & house.files()
    _, done = run(house)
    assert done.kept == [] and done.removed == 3
    with reading(house.engine) as session:
        rules = {row.kind: row.rule for row in session.scalars(select(Holding).where(Holding.removed_at.is_not(None)))}
    assert rules["heavy_output"] == "storage_retention_days.heavy_output = 7", "ours, although only the second run says"


def test_what_somebody_else_has_removed_is_not_claimed_and_not_listed_for_ever(house: House) -> None:
    video, other = house.clip(1, 100), house.clip(2, 1)
    assert other.source in house.files()
    (house.roots[layout.INDOOR] / video.source.partition(":")[2]).unlink()
    _, done = run(house)
    assert done.removed == 3
    with reading(house.engine) as session:
        row = session.get_one(Holding, (video.video_id, "raw"))
        assert (row.rule, row.bytes) == (removing.GONE_BEFORE, 0)


def test_an_empty_store_is_not_one_where_everything_is_gone(house: House) -> None:
    """Without a marker an unmounted store is an empty folder."""
    video = house.clip(1, 100)
    plan = house.announce()
    shutil.rmtree(house.roots[layout.INDOOR])
    house.roots[layout.INDOOR].mkdir()
    house.stores = Stores(house.roots)
    with house.server() as server, pytest.raises(StoreMissing, match="missing mount"):
        removing.carry_out(server, house.stores, plan)
    with reading(house.engine) as session:
        assert session.get_one(Holding, (video.video_id, "raw")).removed_at is None


@pytest.mark.parametrize(
    ("kind", "uri"),
    [
        ("raw", "indoor_nas:private/a.MP4"),
        ("raw", "shed_nas:raw/a.MP4"),
        ("raw", "local:raw/a.MP4"),
        ("preproc", "indoor_nas:heavy_output/v1"),
        ("preproc", "indoor_nas:preproc"),
    ],
)
def test_only_what_lies_in_our_folders_is_removed(house: House, kind: str, uri: str) -> None:
    """Whatever a plan may say."""
    stores = Stores(house.roots | {"local": house.home})
    path = stores.path(uri)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.mkdir() if kind == "preproc" else path.write_bytes(b"x")
    item = PlanItem(kind=kind, video_id="v1", name="a", uris=[uri], bytes=1, rule="r", goes_at=house.now)
    manifest = Manifest(video_id="v1", source="a", source_sha256="b", files=[])
    with pytest.raises(removing.Kept, match="lies outside"):
        removing.unlink(stores, item, manifest)
    assert path.exists()


def test_a_small_copy_cut_off_after_the_manifest_goes_the_next_time(house: House) -> None:
    video = house.clip(1, 400)
    folder = house.roots[layout.SHED] / video.video_id
    manifest = bundle.read_manifest(folder)
    rest = [entry for entry in manifest.files if entry.path != layout.LOWRES]
    without = manifest.model_copy(update={"files": rest})
    (folder / layout.MANIFEST).write_bytes(bundle.manifest_bytes(without))
    gone, done = run(house)
    assert f"shed_nas:{video.video_id}/video_lowres.mp4" in gone
    assert [said for said in done.kept if "lowres" in said.split(":")[0]] == []


@pytest.mark.parametrize("there", [True, False])
def test_before_a_small_copy_goes_its_clips_record_is_in_cold_storage(
    tmp_path: Path, engine: Engine, there: bool
) -> None:
    house = House(tmp_path / "stores", engine, site_with(cold_store="cold"))
    house.stores = Stores(house.roots | {"cold": tmp_path / "cold"})
    if there:
        (tmp_path / "cold").mkdir()
    video = house.clip(1, 400)
    record = bundle.record_bytes(ClipRecord(video_id=video.video_id, source=video.source, stages=[]))
    folder = house.roots[layout.SHED] / video.video_id
    (folder / layout.RECORD).write_bytes(record)
    house.write_manifest(folder, bundle.read_manifest(folder).source_sha256)
    small = f"shed_nas:{video.video_id}/video_lowres.mp4"
    with house.server() as server:
        if there:
            assert removing.carry_out(server, house.stores, house.announce()).kept == []
            assert (tmp_path / f"cold/{video.video_id}.json").read_bytes() == record
        else:
            with pytest.raises(StoreMissing, match="cold"):
                removing.carry_out(server, house.stores, house.announce())
    assert (small in house.files()) is not there


def test_a_clip_outside_our_folder_is_never_touched(house: House, tmp_path: Path) -> None:
    """As in the embedded system, where clips lie anywhere on the machine."""
    video = house.clip(1, 100)
    with writing(house.engine) as session:
        holdings.gone(session, video.video_id, "raw", 1, "x", 1)
        row = session.get_one(Holding, (video.video_id, "raw"))
        row.removed_at = None
        session.get_one(Video, video.video_id).source = "local:home/ana/a.MP4"
    plan = house.announce()
    assert {item.kind for item in plan.items} == {"preproc", "heavy_output"}


@pytest.mark.parametrize("uri", ["indoor_nas:heavy_output/a/a.MP4", "shed_nas:raw/a.MP4", "indoor_nas:raw"])
def test_a_place_outside_our_folder_is_left_though_a_plan_names_it(house: House, uri: str) -> None:
    house.clip(1, 100)
    item = next(one for one in house.announce().items if one.kind == "raw").model_copy(update={"uris": [uri]})
    with pytest.raises(removing.Kept, match="lies outside indoor_nas:raw/"):
        removing.unlink(house.stores, item, bundle.read_manifest(house.stores.path(layout.archive(item.video_id))))


def test_on_postgresql_too(tmp_path: Path, any_engine: Engine) -> None:
    house = House(tmp_path / "stores", any_engine)
    house.clip(1, 100)
    gone, done = run(house)
    assert len(gone) == 3 and done.kept == []


def test_clips_from_before_are_noted_by_the_next_plan(house: House) -> None:
    """An upgrade, or a database that was built from the archive."""
    video = house.clip(1, 100)
    with writing(house.engine) as session:
        for row in session.scalars(select(Holding)):
            session.delete(row)
        add_task(
            session, session.get_one(Video, video.video_id), "FINALIZE_VIDEO", state="complete",
            completed_at=house.now - timedelta(days=40),
            result={"archive": "a", "removed": [layout.preproc(video.video_id)]},
        )  # fmt: skip
    with house.server() as server:
        plan = removing.announce(server, house.stores, unattended=False)
    assert [item.kind for item in plan.items] == ["heavy_output"]
