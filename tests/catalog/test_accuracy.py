"""What preprocessing misses is counted on the sample, once, and never more than there is."""

from collections.abc import Sequence
from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from dashcam.catalog import work
from dashcam.catalog.accuracy import Accuracy, SureSighting, accuracy, missed, note_rejected, touched, wilson
from dashcam.catalog.models import Video
from dashcam.database import reading, writing
from dashcam.records import HeavyResult, PreprocessResult, Sighting, Span
from dashcam.tasks import table
from dashcam.tasks.model import Completion, InputRef, NewTask, TaskType
from tests.catalog.rows import NOON, applied

SPANS = [
    Span(start_s=0, end_s=3, keep=True, reason="new view"),
    Span(start_s=3, end_s=20, keep=False, reason="nothing moves"),
    Span(start_s=20, end_s=25.5, keep=False, reason="nothing moves", audit=True),
    Span(start_s=25.5, end_s=40, keep=False, reason="too dark"),
    Span(start_s=40, end_s=45, keep=False, reason="too dark", audit=True),
]


def sighting(text: str, first_s: float, last_s: float, confirmed: bool = True) -> Sighting:
    box = (0.0, 0.0, 100.0, 30.0)
    read = {"pts": 0, "box": box, "text": text, "confidence": 0.9, "legibility": 0.9, "slots": []}
    return Sighting(
        text=text, confidence=0.9, confirmed=confirmed, first_s=first_s, last_s=last_s, best_s=first_s, best_pts=0,
        box=box, slots=[], reads=[read | {"t_s": first_s}, read | {"t_s": last_s}],
        crop=f"plates/{text}{first_s}.jpg", frame="f.jpg",
    )  # fmt: skip


def done(session: Session, video_id: str, task_type: TaskType, result: PreprocessResult | HeavyResult) -> None:
    clip = InputRef(device="indoor_nas", path="raw/a.MP4")
    table.publish(session, NewTask(task_type=task_type, video_id=video_id, inputs=[clip]))
    (todo,), _ = work.find(session, task_type=task_type, video_id=video_id)
    assert table.complete(session, todo.task_id, Completion(result=result.model_dump(mode="json")), applied)


def processed(engine: Engine, number: int, sightings: Sequence[Sighting] | None, spans: Sequence[Span] = SPANS) -> None:
    """A clip that went through preprocessing and, unless ``sightings`` is None, the heavy stage."""
    video_id = f"{number:016x}"
    with writing(engine) as session:
        at = NOON + timedelta(hours=number)
        session.add(Video(video_id=video_id, name=f"{number}.MP4", source="a:b", created_at=at, start_utc=at))
        session.flush()
        found = PreprocessResult(
            candidates="a:b", keyframes=45, kept_s=3, rejected_s=42, brightness=0.5, sharpness=0.01, spans=list(spans)
        )
        done(session, video_id, TaskType.PREPROCESS_VIDEO, found)
    if sightings is not None:
        heavy = HeavyResult(
            bundle="a:b", frames_decoded=1, frames_looked_at=1, models={}, sightings=list(sightings), poster="p"
        )
        with writing(engine) as session:
            done(session, video_id, TaskType.HEAVY_PROCESS_VIDEO, heavy)


def counted(engine: Engine) -> Accuracy:
    with reading(engine) as session:
        return accuracy(session)


def test_a_plate_that_only_the_sample_shows_is_missed_and_leads_to_its_sighting(any_engine: Engine) -> None:
    processed(any_engine, 1, [sighting("LT23CGK", 21.2, 23.4)])
    found = counted(any_engine)
    still, dark = found.reasons
    assert (still.reason, still.rejected_s, still.audited_s, still.missed_s) == ("nothing moves", 22.5, 5.5, 3)
    assert (dark.reason, dark.rejected_s, dark.audited_s, dark.missed_s) == ("too dark", 19.5, 5, 0)
    assert found.total.rate == pytest.approx(3 / 10.5)
    (miss,) = found.misses
    assert (miss.text, miss.video_id, miss.best_s, miss.reason) == ("LT23CGK", f"{1:016x}", 21.2, "nothing moves")


def test_what_was_read_in_kept_footage_too_or_is_unsure_or_was_not_audited_is_not_missed(any_engine: Engine) -> None:
    both = [sighting("PARKED1", 1, 2), sighting("PARKED1", 21, 22)]
    processed(any_engine, 1, [*both, sighting("UNSURE", 22, 23, confirmed=False), sighting("ELSE", 8, 9)])
    found = counted(any_engine)
    assert (found.total.missed_s, found.total.stretches, found.misses) == (0, 2, [])


def test_a_plate_that_kept_footage_shows_but_only_the_sample_reads_right_is_missed(engine: Engine) -> None:
    followed = sighting("LT23CGK", 2, 22)
    misread = followed.reads[0].model_copy(update={"text": "LT2"})
    processed(engine, 1, [followed.model_copy(update={"reads": [misread, *followed.reads[1:]]})])
    assert [miss.text for miss in counted(engine).misses] == ["LT23CGK"]
    processed(engine, 2, [followed])
    assert len(counted(engine).misses) == 1


def test_a_sample_counts_when_it_was_looked_at_and_not_before(engine: Engine) -> None:
    processed(engine, 1, None)
    found = counted(engine)
    assert (found.total.rejected_s, found.total.audited_s, found.total.rate) == (42, 0, None)


def test_newer_clips_come_first_and_kept_ones_leave_no_row(engine: Engine) -> None:
    for number in (1, 3, 2):
        processed(engine, number, [sighting(f"PLATE{number}", 41, 42)])
    processed(engine, 4, [sighting("PLATE4", 1, 2)], SPANS[:1])
    found = counted(engine)
    assert [miss.text for miss in found.misses] == ["PLATE3", "PLATE2", "PLATE1"]
    assert found.total.stretches == 6


def test_preprocessing_again_replaces_what_was_counted(engine: Engine) -> None:
    processed(engine, 1, [sighting("LT23CGK", 21, 23)])
    with writing(engine) as session:
        kept = PreprocessResult(
            candidates="a:b", keyframes=45, kept_s=45, rejected_s=0, brightness=1, sharpness=1, spans=SPANS[:1]
        )
        note_rejected(session, f"{1:016x}", kept)
    assert counted(engine).reasons == []


def test_wilsons_interval_as_published() -> None:
    assert wilson(0.5, 10) == pytest.approx((0.2366, 0.7634), abs=1e-4)
    assert wilson(0.0, 50) == pytest.approx((0.0, 0.0713), abs=1e-4)
    assert wilson(1.0, 50) == pytest.approx((0.9287, 1.0), abs=1e-4)


@given(st.floats(0, 1), st.integers(1, 10_000))
def test_the_rate_lies_in_its_interval_and_more_trials_make_it_narrower(rate: float, trials: int) -> None:
    low, high = wilson(rate, trials)
    assert 0 <= low <= rate + 1e-9 and rate - 1e-9 <= high <= 1
    nearer = wilson(rate, 4 * trials)
    assert nearer[1] - nearer[0] <= high - low


@given(st.lists(st.tuples(st.floats(0, 60), st.floats(0, 20)), max_size=8), st.floats(0, 50), st.floats(0.5, 10))
def test_never_more_is_missed_than_was_looked_at(
    tracks: list[tuple[float, float]], start: float, length: float
) -> None:
    span = Span(start_s=start, end_s=start + length, keep=False, reason="too dark", audit=True)
    seen = [SureSighting(n, f"P{n}", at, at + more, [at]) for n, (at, more) in enumerate(tracks)]
    found = [one for _, one in missed([span], seen)]
    assert -1e-9 <= touched(span, found) <= length + 1e-9
    assert bool(found) == any(one.first_s < span.end_s and one.last_s >= span.start_s for one in seen)
