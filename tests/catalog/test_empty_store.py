"""An empty store is what a missing mount looks like, so nothing in it counts as vanished: the stage does not say so,
and the main server does not believe it. Each holds by itself."""

from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Engine

from dashcam.catalog.arrival import still_there
from dashcam.database import reading
from dashcam.stages.common import clip_vanished
from dashcam.storage.roots import StoreMissing
from dashcam.tasks.model import InputRef, Task, TaskType
from tests.catalog.test_arrival import Nas


def task_for(video_id: str) -> Task:
    clip = InputRef(device="indoor_nas", path="a.MP4", type="video")
    known = {"task_id": 1, "revision": 1, "device_type": "main_server", "state": "pending"}
    return Task.model_validate(
        known
        | {"task_type": TaskType.INGEST_VIDEO, "video_id": video_id, "inputs": [clip], "created_at": datetime.now(UTC)}
    )


@pytest.mark.parametrize("empty", [True, False])
def test_a_clip_is_gone_only_from_a_store_that_holds_something(engine: Engine, tmp_path: Path, empty: bool) -> None:
    nas = Nas(engine, tmp_path / "nas")
    file = nas.put("a.MP4")
    video_id = nas.take("a.MP4").video_id or ""
    if not empty:
        nas.put("another.MP4", b"something else")
    file.unlink()
    assert clip_vanished(task_for(video_id), nas.stores) is not empty
    with reading(engine) as session:
        if empty:
            with pytest.raises(StoreMissing, match="is empty"):
                still_there(session, nas.stores, video_id)
        else:
            assert still_there(session, nas.stores, video_id) is None
