"""An address in a store leads to one place inside that store, or to a plain sentence."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam.storage.roots import StoreError, StoreMissing, Stores, segment, split


@pytest.fixture
def stores(tmp_path: Path) -> Stores:
    (tmp_path / "nas").mkdir()
    return Stores({"indoor_nas": tmp_path / "nas", "local": Path("/")})


def test_an_address_is_a_place_below_the_store(stores: Stores, tmp_path: Path) -> None:
    path = stores.path("indoor_nas:raw/2026-06-28/clip.MP4")
    assert path == tmp_path / "nas/raw/2026-06-28/clip.MP4"


def test_the_embedded_store_reaches_any_file_of_the_machine(stores: Stores, tmp_path: Path) -> None:
    clip = tmp_path / "a clip: über.MP4"
    clip.write_bytes(b"x")
    assert stores.path(f"local:{str(clip)[1:]}").read_bytes() == b"x"


@pytest.mark.parametrize(
    ("uri", "says"),
    [
        ("indoor_nas:../secret", "'..'"),
        ("indoor_nas:raw/../../secret", "'..'"),
        ("indoor_nas:/etc/passwd", "absolute"),
        ("indoor_nas://server/share", "absolute"),
        ("indoor_nas:raw\\..\\..\\x", "backslash"),
        ("indoor_nas:raw/a\0b", "NUL"),
        ("indoor_nas:", "the store itself"),
        ("indoor_nas:.", "the store itself"),
        ("raw/clip.MP4", "store:relative/path"),
        (":raw/clip.MP4", "store:relative/path"),
        ("attic_nas:raw/clip.MP4", "its stores are: indoor_nas, local"),
    ],
)
def test_whatever_leads_elsewhere_is_refused_with_the_reason(stores: Stores, uri: str, says: str) -> None:
    with pytest.raises(StoreError, match=r".") as refused:
        stores.path(uri)
    assert says in str(refused.value)


def test_a_link_out_of_the_store_is_refused_and_one_inside_it_is_not(stores: Stores, tmp_path: Path) -> None:
    nas = tmp_path / "nas"
    (tmp_path / "elsewhere").mkdir()
    (nas / "real").mkdir()
    (nas / "out").symlink_to(tmp_path / "elsewhere")
    (nas / "in").symlink_to(nas / "real")
    with pytest.raises(StoreError, match="symbolic link"):
        stores.path("indoor_nas:out/clip.MP4")
    assert stores.path("indoor_nas:in/clip.MP4") == nas / "in/clip.MP4"


def test_a_neighbour_whose_name_starts_alike_is_not_inside(stores: Stores, tmp_path: Path) -> None:
    (tmp_path / "nas-2").mkdir()
    (tmp_path / "nas/out").symlink_to(tmp_path / "nas-2")
    with pytest.raises(StoreError, match="symbolic link"):
        stores.path("indoor_nas:out/clip.MP4")


def test_a_store_whose_folder_is_gone_is_not_there(stores: Stores, tmp_path: Path) -> None:
    (tmp_path / "nas").rmdir()
    with pytest.raises(StoreMissing, match="indoor_nas is not there"):
        stores.path("indoor_nas:raw/clip.MP4")


def test_a_share_that_this_machine_has_not_mapped_is_not_there_and_says_what_to_do(tmp_path: Path) -> None:
    stores = Stores({"indoor_nas": Path("//nas-1/videos/"), "shed_nas": Path("D:\\archive")})
    assert str(stores.roots["indoor_nas"]).startswith("//nas-1/videos")
    for uri in ("indoor_nas:raw/clip.MP4", "shed_nas:v1"):
        with pytest.raises(StoreMissing, match='"stores" in this device'):
            stores.path(uri)


def test_an_empty_mount_point_is_not_there_when_the_store_has_a_marker(tmp_path: Path) -> None:
    stores = Stores({"shed_nas": tmp_path}, {"shed_nas": "this-is-the-archive"})
    with pytest.raises(StoreMissing, match="nothing is mounted"):
        stores.path("shed_nas:v1")
    (tmp_path / "this-is-the-archive").touch()
    assert stores.path("shed_nas:v1") == tmp_path / "v1"


@given(st.text(alphabet=st.sampled_from("ab./\\:\0 ü"), max_size=24))
def test_no_text_leaves_the_store(text: str) -> None:
    stores = Stores({"local": Path("/"), "s": Path("/usr/lib")})
    try:
        path = stores.path(f"s:{text}")
    except StoreError:
        return
    assert path.is_relative_to("/usr/lib") and ".." not in path.parts and path != Path("/usr/lib")
    store, relative = split(f"s:{text}")
    assert (store, Path("/usr/lib") / relative) == ("s", path)


@pytest.mark.parametrize("name", ["", ".", "..", ".hidden", "a/b", "a\\b", "a\0b"])
def test_a_video_id_that_is_no_folder_name_is_refused(name: str) -> None:
    with pytest.raises(StoreError, match="cannot be the name"):
        segment(name)
