"""The names of folders and files in the stores: where each thing that belongs to a clip lies.

=========================================  ===========================================================================
``indoor_nas:raw/<trip>/``                 clips, as viofosync leaves them
``indoor_nas:preproc/<video_id>/``         ``candidates.json`` and ``thumbs/``, for the heavy stage
``indoor_nas:heavy_output/<video_id>/``    the bundle: ``manifest.json``, ``detections.json``, ``video_lowres.mp4``,
                                           ``plate_crops/``, ``frames/``
``shed_nas:<video_id>/``                   the archive: ``manifest.json``, ``record.json``, ``video_lowres.mp4``,
                                           ``plates/``, ``frames/``
``shed_nas:.dashcam/``                     what no archive can tell: ``decisions.json``, ``backups/``
=========================================  ===========================================================================

Results and the catalogue name a clip's files as the archive does, for that is where they stay.
"""

from pathlib import Path

from dashcam.storage.roots import segment

INDOOR, SHED = "indoor_nas", "shed_nas"
RAW, PREPROC, HEAVY_OUTPUT = "raw", "preproc", "heavy_output"
CANDIDATES, THUMBS = "candidates.json", "thumbs"
DETECTIONS = "detections.json"
MANIFEST, RECORD = "manifest.json", "record.json"
DECISIONS, BACKUPS = "shed_nas:.dashcam/decisions.json", "shed_nas:.dashcam/backups"
LOWRES = "video_lowres.mp4"
FRAMES = "frames"
TIMES, POSTER = f"{FRAMES}/times.json", f"{FRAMES}/poster.jpg"
PLATES, PLATE_CROPS = "plates", "plate_crops"
"""The crops' folder in an archive, and in a bundle (bundles made before it had its name have an archive's)."""


def preproc(video_id: str) -> str:
    """``store:path`` of the folder; `StoreError` for an id that can be no folder's name, here and below."""
    return f"{INDOOR}:{PREPROC}/{segment(video_id)}"


def candidates(video_id: str) -> str:
    """``store:path`` of the file."""
    return f"{preproc(video_id)}/{CANDIDATES}"


def bundle(video_id: str) -> str:
    """``store:path`` of the folder."""
    return f"{INDOOR}:{HEAVY_OUTPUT}/{segment(video_id)}"


def archive(video_id: str) -> str:
    """``store:path`` of the folder."""
    return f"{SHED}:{segment(video_id)}"


def thumb(index: int) -> str:
    """Path below ``preproc`` of the picture of the ``index``-th keyframe looked at."""
    return f"{THUMBS}/{index:04d}.jpg"


def crop(plate_id: str) -> str:
    """Path below the archive."""
    return f"{PLATES}/{plate_id}_best_crop.jpg"


def frame(plate_id: str) -> str:
    """Path below the archive and the bundle."""
    return f"{FRAMES}/{plate_id}_best_frame.jpg"


def bundled(name: str) -> str:
    """Path below the bundle of what lies at ``name`` below the archive."""
    folder, slash, file = name.partition("/")
    return f"{PLATE_CROPS}/{file}" if slash and folder == PLATES else name


def archived(name: str) -> str | None:
    """Path below the archive of what lies at ``name`` below the bundle; None for what stays behind, because it only
    describes, and metadata is the database's."""
    folder, slash, file = name.partition("/")
    if slash and folder in (PLATE_CROPS, PLATES):
        return f"{PLATES}/{file}"
    return name if name == LOWRES or (slash and folder == FRAMES) else None


def address(folder: str, name: str) -> str:
    """``store:path`` of what lies at ``name`` below the archive; ``folder`` is the archive's or the bundle's."""
    return f"{folder}/{bundled(name) if folder.startswith(f'{INDOOR}:{HEAVY_OUTPUT}/') else name}"


def find(folder: Path, name: str) -> Path:
    """Where ``name``, a path below the archive, lies in ``folder``, which may be a bundle yet."""
    path = folder / name
    other = folder / bundled(name)
    return other if other != path and not path.exists() and other.exists() else path
