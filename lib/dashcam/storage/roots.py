"""Named stores and the folders behind them on this device: ``indoor_nas:raw/2026-06-28/clip.MP4``.

Tasks, the database and the REST API speak of places as ``store:relative/path``; only a device knows that its
``indoor_nas`` is ``/mnt/nas-1``, ``D:\\nas`` or ``//nas-1/videos``.
"""

import os
from collections.abc import Mapping
from pathlib import Path, PurePosixPath, PureWindowsPath

from dashcam import Explained


class StoreError(Explained):
    """An address that names no place in a store; the message is one plain sentence."""


class StoreMissing(StoreError):
    """The store's folder is not there: not mounted, switched off, or mapped wrongly. It never means "empty"."""


class Stores:
    """The stores of one device.

    ``roots`` maps a store's name to its folder here. ``markers`` names, for some stores, a file that must lie in the
    root: with it an unmounted mount point, which is an empty folder, is recognised as "not there".
    """

    def __init__(self, roots: Mapping[str, Path], markers: Mapping[str, str] | None = None) -> None:
        self._roots = {name: Path(root) for name, root in roots.items()}
        self._markers = dict(markers or {})

    @property
    def roots(self) -> dict[str, Path]:
        """Every store's folder, whether it is there or not."""
        return dict(self._roots)

    def root(self, store: str) -> Path:
        """The store's folder, proven to be there; ``StoreError`` for an unknown name, ``StoreMissing`` otherwise."""
        folder = self._roots.get(store)
        if folder is None:
            known = ", ".join(sorted(self._roots)) or "none"
            raise StoreError(f"{store!r} is not a store of this device; its stores are: {known}.")
        if not folder.is_absolute() or not folder.is_dir():
            raise StoreMissing(f"Store {store} is not there: {folder} is no folder on this device; {_hint(folder)}.")
        marker = self._markers.get(store)
        if marker and not (folder / marker).is_file():
            raise StoreMissing(
                f"Store {store} is not there: {folder} has no {marker}, so nothing is mounted on it; {_hint(folder)}. "
                f"A store that is new is marked on the main server: dashcam setup --mark {store}"
            )
        return folder

    def path(self, uri: str) -> Path:
        """The absolute path of ``store:relative/posix/path`` on this device; the place itself need not exist yet.

        Raises ``StoreError`` for whatever could lead outside the store (``..``, an absolute path, a backslash, NUL, a
        symbolic link that leaves it) and ``StoreMissing`` when the store is not there.
        """
        store, relative = split(uri)
        root = self.root(store)
        target = root / relative
        real_root = os.path.realpath(root)
        if os.path.commonpath([real_root, os.path.realpath(target)]) != real_root:
            raise StoreError(f"{uri!r} leads out of its store through a symbolic link.")
        return target


def split(uri: str) -> tuple[str, PurePosixPath]:
    """Store name and clean relative path of a URI; ``StoreError`` when it is not one, or tries to leave its store."""
    store, colon, text = uri.partition(":")
    if not colon or not store:
        raise StoreError(f"{uri!r} is not of the form store:relative/path.")
    if "\0" in text or "\\" in text:
        raise StoreError(f"{uri!r} holds a character that no stored path may hold (NUL or backslash).")
    relative = PurePosixPath(text)
    if relative.is_absolute() or (os.name == "nt" and PureWindowsPath(text).drive):
        raise StoreError(f"{uri!r} holds an absolute path; paths in a store are relative to its folder.")
    if ".." in relative.parts:
        raise StoreError(f"{uri!r} holds '..'; a path in a store may not climb out of a folder.")
    if not relative.parts:
        raise StoreError(f"{uri!r} names the store itself, not a place in it.")
    return store, relative


def segment(name: str) -> str:
    """``name`` itself when it can be one visible folder in a store, e.g. a video id; ``StoreError`` otherwise."""
    if not name or name.startswith(".") or set(name) & set("/\\\0"):
        raise StoreError(f"{name!r} cannot be the name of a folder in a store.")
    return name


def _hint(folder: Path) -> str:
    text = str(folder)
    foreign = os.name != "nt" and (text.startswith("//") or bool(PureWindowsPath(text).drive))
    if foreign:
        return 'name the folder it is mounted on under "stores" in this device\'s file'
    return "mount it, or correct its path in the configuration"
