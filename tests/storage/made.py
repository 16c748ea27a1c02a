"""Manifests of folders that a test has made."""

from pathlib import Path

from dashcam.records import Manifest, ManifestEntry
from dashcam.storage import bundle, layout


def manifest_of(folder: Path, video_id: str = "v1", source: str = "v1.MP4", source_sha256: str = "0" * 64) -> Manifest:
    """What the archive stage would write about this folder."""
    entries = [
        ManifestEntry(path=name, size=path.stat().st_size, sha256=bundle.hash_file(path))
        for name, path in bundle.tree(folder).items()
        if name != layout.MANIFEST
    ]
    return Manifest(video_id=video_id, source=source, source_sha256=source_sha256, files=entries)
