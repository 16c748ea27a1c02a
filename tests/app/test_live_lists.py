"""A list that changes while somebody is at it: what they have opened, stand on or are about to press stays."""

import random
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect
from sqlalchemy import Engine, Executable, Update, delete, update

from dashcam.catalog.models import DeviceRow, Video
from dashcam.database import open_engine, writing
from dashcam.tasks.row import TaskRow
from tests.app import filmed
from tests.app.browser import chromium as chromium
from tests.app.browser import desk as desk
from tests.app.browser import page as page
from tests.app.browser import served
from tests.catalog.rows import NOON, add_task, add_video

pytestmark = pytest.mark.browser

TROUBLED = range(900, 904)
SLOW = 20_000
"""Pages look again every two seconds, and a machine may be busy."""


@pytest.fixture(autouse=True, scope="module")
def patient() -> Iterator[None]:
    expect.set_options(timeout=SLOW)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("live")


@pytest.fixture(scope="module")
def site(chromium: Browser, folder: Path) -> Iterator[str]:
    with served(folder, "--filmed") as address:
        yield address


@pytest.fixture
def engine(site: str, folder: Path) -> Iterator[Engine]:
    """With four clips in trouble and a device, the same for each test."""
    one = open_engine(f"sqlite:///{folder / 'dashcam.db'}")
    with writing(one) as session:
        known = [f"{number:016x}" for number in TROUBLED]
        session.execute(delete(TaskRow).where(TaskRow.video_id.in_([*known, filmed.video_id(0)])))
        session.execute(delete(Video).where(Video.video_id.in_(known)))
        session.execute(delete(DeviceRow))
        for number in TROUBLED:
            video = add_video(session, number, NOON + timedelta(minutes=number), outcome=None)
            add_task(session, video, failures=1, last_error=f"No room.\nNot for {number}.")
        session.add(DeviceRow(hostname="jetson-1", device_type="jetson_coral", last_seen=NOON, info={"pool": "jetson"}))
    yield one
    one.dispose()


def change(engine: Engine, *statements: Executable) -> None:
    with writing(engine) as session:
        for one in statements:
            session.execute(one)


def opened(page: Page, address: str) -> None:
    page.goto(address)
    page.wait_for_function("window.socket?.connected")


def its(number: int) -> Update:
    return update(TaskRow).where(TaskRow.video_id == f"{number:016x}")


def test_on_tasks_what_is_read_stays_open_and_the_keyboard_stays_where_it_is(page: Page, engine: Engine) -> None:
    opened(page, "/tasks?view=stuck")
    rows = {number: page.locator("tr", has_text=f"Not for {number}.") for number in TROUBLED}
    rows[902].locator("summary").press("Enter")
    expect(rows[902].locator("pre")).to_be_visible()
    again = rows[901].get_by_role("button", name="again")
    again.focus()
    change(engine, its(902).values(failures=7), its(900).values(state="complete"))
    expect(rows[902]).to_contain_text("7 failed")
    expect(rows[900]).to_have_count(0)
    expect(rows[902].locator("pre")).to_be_visible()
    expect(again).to_be_focused()
    again.press("Enter")
    expect(page.get_by_text("It is tried again now.")).to_be_visible()


def test_on_devices_the_keyboard_stays_where_it_is(page: Page, engine: Engine) -> None:
    opened(page, "/devices")
    pause = page.get_by_role("button", name="Pause jetson-1")
    pause.focus()
    change(engine, update(DeviceRow).values(info={"pool": "jetson", "engine": "another one"}))
    expect(page.get_by_text("another one")).to_be_visible()
    expect(pause).to_be_focused()
    pause.press("Enter")
    expect(page.get_by_text("jetson-1 is paused.")).to_be_visible()
    page.get_by_role("button", name="Let jetson-1 work again").press("Enter")
    expect(pause).to_be_visible()


def test_a_film_that_is_looked_at_goes_on_when_a_stage_of_its_clip_is_done(page: Page, engine: Engine) -> None:
    """Its archive is made within a minute after its plates are there."""
    clip = filmed.video_id(0)
    with writing(engine) as session:
        video = session.get_one(Video, clip)
        video.outcome = None
        first = add_task(session, video, "ARCHIVE_VIDEO").task_id
        second = add_task(session, video, "FINALIZE_VIDEO", state="complete").task_id
    opened(page, f"/videos/{clip}")
    expect(page.get_by_text("Waiting: archive (step 4 of 5)")).to_be_visible()
    page.evaluate("window.same = true")
    done, waits = ({"state": state} for state in ("complete", "pending"))
    change(
        engine,
        *(update(TaskRow).where(TaskRow.task_id == one).values(to) for one, to in ((first, done), (second, waits))),
    )
    expect(page.get_by_text("Waiting: finalize (step 5 of 5)")).to_be_visible()
    through = update(Video).where(Video.video_id == clip).values(outcome="processed")
    change(engine, update(TaskRow).where(TaskRow.task_id == second).values(done), through)
    expect(page.get_by_text("It is through")).to_be_visible()
    assert page.evaluate("window.same")


BECOMES = """async (pairs) => {
  const { name } = performance.getEntriesByType("resource").find(({ name }) => name.endsWith("/piece.js"));
  const { default: piece } = await import(name);
  return pairs.map(([was, now]) => {
    const [here, wanted] = [was, now].map((html) => Object.assign(document.createElement("div"), { innerHTML: html }));
    const before = new Map([...here.querySelectorAll("[data-key]")].map((one) => [one.dataset.key, one]));
    piece.watch.innerHTML.call({ $el: here }, now);
    const kept = [...here.querySelectorAll("[data-key]")].filter((one) => before.get(one.dataset.key) === one);
    return [here.isEqualNode(wanted), kept.map((one) => one.dataset.key)];
  });
}"""


def drawn(chance: random.Random, depth: int = 0) -> str:
    """Some elements with what may be in them."""
    inside = [
        drawn(chance, depth + 1) if depth < 3 else chance.choice(("a", "b", "")) for _ in range(chance.randrange(4))
    ]
    keys = chance.sample(range(9), len(inside))
    made = []
    for key, one in zip(keys, inside, strict=True):
        kind = chance.choice(("div", "span", "i", ""))
        its = chance.choice((f' data-key="{depth}{key}"', "", f' class="c{key % 3}"', f' title="t{key % 2}"'))
        made.append(f"<{kind}{its}>{one}</{kind}>" if kind else f"text{key % 2}")
    return "".join(made)


def test_what_a_piece_becomes_is_what_the_server_has_made(page: Page) -> None:
    opened(page, "/tasks")
    chance = random.Random(31)
    trees = [drawn(chance) for _ in range(1200)]
    pairs = list(pairwise(trees))
    assert len(set(trees)) > 600
    assert [pair for pair, (same, _) in zip(pairs, page.evaluate(BECOMES, pairs), strict=True) if not same] == []


def test_a_row_that_is_there_still_is_the_same_row(page: Page) -> None:
    opened(page, "/tasks")
    chance = random.Random(32)
    lists = []
    for _ in range(200):
        was = sorted(chance.sample(range(20), chance.randrange(12)))
        gone = set(chance.sample(was, chance.randrange(len(was) + 1)))
        now = sorted({one for one in was if one not in gone} | set(chance.sample(range(20, 30), chance.randrange(4))))
        lists.append((was, now))
    told = page.evaluate(BECOMES, [["".join(map(line, some)) for some in pair] for pair in lists])
    for (was, now), (same, kept) in zip(lists, told, strict=True):
        assert same and {int(one) for one in kept} == {*was} & {*now}


def line(key: int) -> str:
    return f'<p data-key="{key}">row</p>'
