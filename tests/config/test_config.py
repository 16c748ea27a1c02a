"""Settings: the deployment guide's files work as printed, and a mistake is one sentence that helps."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashcam import config
from dashcam.config import MARKER, ConfigError, Site, check, load_device, load_site, pool_of
from dashcam.site.answer import for_devices

SITE: dict[str, Any] = {
    "global": {"task_retry_delay_seconds": 300, "storage_retention_days": {"raw_videos": 90}},
    "devices": {},
    "storage_paths": {
        "indoor_nas": {"base": "//nas-1/videos/", "raw": "raw/"},
        "shed_nas": {"archive_base": "//shed-nas/archive/"},
    },
}


@pytest.fixture(autouse=True)
def no_settings_of_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("DASHCAM_") and name != "DASHCAM_SHARED"]:
        monkeypatch.delenv(name)


def write(folder: Path, site: Any = None, **devices: Any) -> Path:
    (folder / "devices").mkdir(exist_ok=True)
    if site is not None:
        (folder / "config.json").write_text(json.dumps(site), encoding="utf-8")
    for name, device in devices.items():
        (folder / "devices" / f"{name.replace('_', '-')}.json").write_text(json.dumps(device), encoding="utf-8")
    return folder


def only_sentence(folder: Path) -> str:
    [sentence] = check(folder)
    assert "\n" not in sentence
    return sentence


def test_the_files_of_the_deployment_guide_work_as_printed(tmp_path: Path, shared: Path) -> None:
    guide = (shared / "spec/deployment-guide.md").read_text(encoding="utf-8")
    printed = [json.loads(text) for text in re.findall(r"```json\n(.*?)```", guide, re.DOTALL)]
    sites = [content for content in printed if "storage_paths" in content]
    devices = [content for content in printed if "storage_paths" not in content]
    assert len(sites) == 1 and len(devices) >= 4
    for number, device in enumerate(devices):
        name = device.get("hostname", f"device-{number}")
        folder = tmp_path / str(number)
        folder.mkdir()
        write(folder, sites[0], **{name: device})
        assert check(folder) == []
        loaded = load_device(folder, name)
        assert loaded.pool == ("jetson" if "coral" in device else "gpu")
        assert str(loaded.scratch).startswith(device["storage"]["local_scratch"])
        assert loaded.max_concurrent_tasks == 1


def test_without_any_file_everything_has_a_default_that_works(tmp_path: Path) -> None:
    device = load_device(tmp_path)
    assert (device.device_type, device.pool) == ("main_server", "server")
    assert (device.sample_fps, device.detector_size, device.threads) == (5.0, 640, 0)
    assert device.detector_weights is None and device.time_zone is None
    assert device.hostname and device.scratch.is_absolute()
    assert load_site(tmp_path) == Site()
    assert load_site(tmp_path).dispatch.batch_minutes == 60


@pytest.mark.parametrize(
    ("device_type", "pool"),
    [
        ("main_server", "server"),
        ("jetson_coral", "jetson"),
        ("rtx_4090", "gpu"),
        ("indoor_nas", "nas"),
        ("shed_nas", "nas"),
    ],
)
def test_each_device_type_serves_its_pool(device_type: str, pool: str, tmp_path: Path) -> None:
    assert pool_of(device_type) == pool
    assert load_device(write(tmp_path, d={"device_type": device_type}), "d").pool == pool


def test_a_device_maps_a_store_to_its_own_mount_and_shares_are_not_mangled(tmp_path: Path) -> None:
    site = SITE | {"extra_stores": {"local": "/"}}
    folder = write(tmp_path, site, jetson_1={"stores": {"indoor_nas": "/mnt/nas-1"}}, pc={})
    roots = load_site(folder).store_roots(load_device(folder, "jetson-1"))
    assert roots == {
        "indoor_nas": Path("/mnt/nas-1"),
        "shed_nas": Path("//shed-nas/archive"),
        "local": Path("/"),
    }
    elsewhere = load_site(folder).store_roots(load_device(folder, "pc"))["indoor_nas"]
    assert str(elsewhere) == "//nas-1/videos"


def test_a_marker_file_of_a_store_is_handed_on(tmp_path: Path) -> None:
    site = {"storage_paths": {"shed_nas": {"archive_base": "/archive", "marker": "this-is-the-archive"}}}
    assert load_site(write(tmp_path, site)).store_markers() == {"shed_nas": "this-is-the-archive"}


@pytest.mark.parametrize(
    ("site", "files", "marked"),
    [
        ({}, [], False),
        ({}, ["pc", "pc-gpu", "pc-nas"], False),
        ({"server": {"url": "http://localhost:8000", "host": "127.0.0.1"}}, ["pc.lan"], False),
        ({}, ["pc", "jetson-1"], True),
        ({"devices": {"jetson-1": {}, "pc": {}}}, [], True),
        ({"devices": {"jetson-1": {}}}, ["pc"], True),
        ({"server": {"url": "http://main-server:8000"}}, [], True),
        ({"server": {"host": "0.0.0.0"}}, [], True),
    ],
)
def test_stores_of_several_machines_have_markers_whether_they_are_named_or_not(
    tmp_path: Path, site: dict[str, Any], files: list[str], marked: bool
) -> None:
    stores = {"indoor_nas": {"base": "/nas", "marker": "here"}, "shed_nas": {"archive_base": "/archive"}}
    folder = write(tmp_path, {"storage_paths": stores} | site, **{name: {} for name in files})
    named = {"indoor_nas": "here"}
    assert load_site(folder).store_markers() == (named | {"shed_nas": MARKER} if marked else named)


def test_so_have_extra_stores_but_for_the_root_of_a_machines_own_files(tmp_path: Path) -> None:
    extra = {"extra_stores": {"local": "/", "cold": "/mnt/cold", "usb": "D:\\usb"}}
    several = {"server": {"host": "0.0.0.0"}}
    assert load_site(write(tmp_path, extra)).store_markers() == {}
    named = {"extra_store_markers": {"usb": "here"}}
    assert load_site(write(tmp_path, extra | named)).store_markers() == {"usb": "here"}
    site = load_site(write(tmp_path, extra | named | several))
    assert site.store_markers() == {"usb": "here", "cold": MARKER}
    device = write(tmp_path, for_devices(site))
    assert load_site(device).store_markers() == site.store_markers(), "a device that has joined goes by them too"


def test_environment_wins_over_device_file_over_site_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = SITE | {
        "server": {"url": "http://main:8000/", "time_zone": "Europe/London"},
        "devices": {"cam-pc": {"sample_fps": 2, "threads": 3}},
    }
    folder = write(tmp_path, site, cam_pc={"sample_fps": 4, "detector_size": 416})
    device = load_device(folder, "cam-pc")
    assert (device.threads, device.sample_fps, device.detector_size) == (3, 4, 416)
    assert device.time_zone == "Europe/London"

    for name, value in {
        "DASHCAM_CONFIG": str(folder),
        "DASHCAM_DEVICE": "cam-pc",
        "DASHCAM_SCRATCH": str(tmp_path / "scratch"),
        "DASHCAM_SAMPLE_FPS": "7.5",
        "DASHCAM_SERVER_URL": "http://other:9000",
        "DASHCAM_PORT": "9000",
    }.items():
        monkeypatch.setenv(name, value)
    device = load_device()
    assert (device.hostname, device.sample_fps, device.detector_size) == ("cam-pc", 7.5, 416)
    assert device.scratch.is_relative_to(tmp_path / "scratch")
    assert (load_site().server.url, load_site().server.port) == ("http://other:9000", 9000)


def test_scratch_is_a_folder_of_our_own_because_it_is_emptied(tmp_path: Path) -> None:
    folder = write(tmp_path, d={"storage": {"local_scratch": "/tmp"}})
    scratch = load_device(folder, "d").scratch
    assert scratch != Path("/tmp") and scratch.parent == Path("/tmp")


def test_a_wrong_environment_variable_is_named_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHCAM_PORT", "eight thousand")
    with pytest.raises(ConfigError, match=r"^DASHCAM_PORT: server\.port is 'eight thousand', but must be"):
        load_site(tmp_path)


@pytest.mark.parametrize(
    ("site", "says"),
    [
        ({"globl": {}}, "globl is not a known key; did you mean 'global'?"),
        ({"global": {"task_retry_delay": 1}}, "did you mean 'task_retry_delay_seconds'?"),
        ({"global": {"storage_retention_days": {"raw": 1}}}, "did you mean 'raw_videos'?"),
        ({"storage_paths": {"indoor_nas": {"base": "/n", "xyz": 1}}}, "known are base, heavy_output, marker"),
        ({"global": {"storage_retention_days": {"raw_videos": -1}}}, "is -1, but must be greater than or equal to 0"),
        ({"global": {"max_concurrent_tasks_per_device": "two"}}, "is 'two', but must be a valid integer"),
        ({"storage_paths": {"indoor_nas": {}}}, "storage_paths.indoor_nas.base is missing."),
        ({"storage_paths": {"indoor_nas": {"base": "videos/"}}}, "is 'videos/', but must be an absolute path"),
        *(
            (
                {"storage_paths": {"indoor_nas": {"base": "/n", folder: "in/"}}},
                f"indoor_nas.{folder} is 'in/', but allowed is '{folder}/' or '{folder}': give the folder that name",
            )
            for folder in ("raw", "preproc", "heavy_output")
        ),
        ({"server": {"url": "main-server:8000"}}, "must be a web address such as http://main-server:8000"),
        ({"server": {"time_zone": "Europe/Lodnon"}}, "must be the name of a time zone"),
        ({"server": {"time_zone": "../../etc/passwd"}}, "must be the name of a time zone"),
        ({"devices": {"a/b": {}}}, "must be a plain name without slashes"),
        ({"extra_stores": {"a:b": "/"}}, "must be a store's name"),
        ({"global": []}, "global is [], but must be a JSON object"),
        ([], "must hold one JSON object"),
        ({"retention": {"cold_store": "attic"}}, "cold_store must be one of extra_stores, which has none"),
        ({"extra_store_markers": {"attic": "here"}}, "attic is none of extra_stores, which has none"),
        ({"covered_by": {"server": "gpu"}}, "covered_by.server"),
        ({"covered_by": {"jetson": "toaster"}}, "covered_by.jetson"),
        (
            {"covered_by": {"jetson": "gpu", "gpu": "server"}},
            "jetson cannot be left to gpu, which is said to have no devices itself",
        ),
    ],
)
def test_a_mistake_in_the_site_file_is_one_sentence_with_file_key_and_cure(
    tmp_path: Path, site: Any, says: str
) -> None:
    sentence = only_sentence(write(tmp_path, site))
    assert sentence.startswith(f"{tmp_path / 'config.json'}: ") and says in sentence
    with pytest.raises(ConfigError) as refused:
        load_site(tmp_path)
    assert refused.value.sentences == [sentence]


@pytest.mark.parametrize(
    ("device", "says"),
    [
        ({"device_type": "jetson"}, "device_type is 'jetson', but allowed is 'main_server', 'jetson_coral'"),
        ({"gpu": {"device": 0}}, "gpu.device is not a known key; did you mean 'device_id'?"),
        ({"hostname": "jetson-2"}, "hostname is 'jetson-2', but the file's name says 'jetson-1'"),
        ({"stores": {"indor_nas": "/mnt"}}, "stores.indor_nas is not a store of this site; did you mean 'indoor_nas'?"),
        ({"storage": {"local_scratch": "scratch"}}, "must be an absolute path"),
        ({"sample_fps": 0}, "sample_fps is 0, but must be greater than 0"),
        ({"availability": {"hours": ["22:00-7:00"]}}, 'two different times of day such as "22:00-07:00"'),
        ({"availability": {"hours": ["22:00-22:00"]}}, 'two different times of day such as "22:00-07:00"'),
        ({"availability": {"gpu_load_percent": 120}}, "gpu_load_percent is 120, but must be less than or equal to 100"),
        ({"availability": {"gpu_load": 20}}, "did you mean 'gpu_load_percent'?"),
    ],
)
def test_a_mistake_in_a_device_file_is_one_sentence_too(tmp_path: Path, device: Any, says: str) -> None:
    folder = write(tmp_path, SITE, jetson_1=device)
    sentence = only_sentence(folder)
    assert sentence.startswith(f"{folder / 'devices/jetson-1.json'}: ") and says in sentence
    with pytest.raises(ConfigError):
        load_device(folder, "jetson-1")


def test_every_mistake_of_every_file_is_listed_at_once(tmp_path: Path) -> None:
    folder = write(tmp_path, SITE | {"a": 1, "b": 2}, one={"threads": -1}, two={"hostname": "three"})
    assert len(check(folder)) == 4
    assert "no such folder" in check(tmp_path / "nowhere")[0]
    assert "config.json is not there" in only_sentence(write_empty(tmp_path))


def write_empty(folder: Path) -> Path:
    (folder / "empty").mkdir()
    return folder / "empty"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (b'{"global": {},}', "is not valid JSON at line 1, column"),
        (b"", "is not valid JSON at line 1, column 1"),
        (b"\xff\xfe\x00", "is not UTF-8 text"),
        (b'{"global": {}, "global": {}}', "the key global is there twice"),
        (b"[" * 100_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_json_says_where(tmp_path: Path, text: bytes, says: str) -> None:
    (tmp_path / "config.json").write_bytes(text)
    assert says in only_sentence(tmp_path)


def test_a_file_saved_by_windows_notepad_is_read(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_bytes(b'\xef\xbb\xbf{"server": {"port": 8080}}')
    assert load_site(tmp_path).server.port == 8080


def test_a_folder_that_was_named_must_be_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DASHCAM_CONFIG", str(tmp_path / "gone"))
    with pytest.raises(ConfigError, match="no such folder"):
        load_device()


@pytest.mark.parametrize("name", ["../../etc/shadow", "a/b", "", "x\0y", ".."])
def test_a_device_name_never_leads_out_of_the_folder(tmp_path: Path, name: str) -> None:
    if name:
        with pytest.raises(ConfigError, match="a device's name has only"):
            load_device(tmp_path, name)
    else:
        assert load_device(tmp_path, name).hostname


def test_a_machine_with_a_domain_finds_its_file_by_the_short_name(tmp_path: Path) -> None:
    folder = write(tmp_path, jetson_1={"device_type": "jetson_coral"})
    assert load_device(folder, "jetson-1.home.lan").pool == "jetson"


def test_a_token_comes_from_the_environment_or_a_private_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert config.token(tmp_path) is None
    path = tmp_path / "token"
    path.write_text("s3cret\n")
    path.chmod(0o600)
    assert config.token(tmp_path) == "s3cret"
    monkeypatch.setenv("DASHCAM_TOKEN_FILE", str(path))
    assert config.token() == "s3cret"
    monkeypatch.setenv("DASHCAM_TOKEN", "from-env")
    assert config.token() == "from-env"


@pytest.mark.skipif(os.name != "posix", reason="file modes are a posix matter")
@pytest.mark.parametrize("mode", [0o640, 0o604, 0o644, 0o660])
def test_a_secret_that_others_may_read_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, mode: int) -> None:
    path = tmp_path / "token"
    path.write_text("s3cret")
    path.chmod(mode)
    monkeypatch.setenv("DASHCAM_TOKEN_FILE", str(path))
    with pytest.raises(ConfigError, match="others may read it; run: chmod 600") as refused:
        config.token()
    assert "s3cret" not in str(refused.value)

    monkeypatch.delenv("DASHCAM_TOKEN_FILE")
    write(tmp_path, {"server": {"database_url": "postgresql+psycopg://dash:s3cret@main/dash"}})
    (tmp_path / "config.json").chmod(mode)
    with pytest.raises(ConfigError, match="holds a password") as refused:
        load_site(tmp_path)
    assert "s3cret" not in str(refused.value)
    (tmp_path / "config.json").chmod(0o600)
    assert "s3cret" in load_site(tmp_path).server.database_url


@pytest.mark.parametrize("content", ["", None])
def test_a_token_file_that_gives_no_token_is_a_mistake(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: str | None
) -> None:
    path = tmp_path / "token"
    if content is not None:
        path.write_text(content)
        path.chmod(0o600)
    monkeypatch.setenv("DASHCAM_TOKEN_FILE", str(path))
    with pytest.raises(ConfigError, match="token file"):
        config.token()


def test_a_database_password_is_never_repeated(tmp_path: Path) -> None:
    folder = write(tmp_path, {"server": {"database_url": ["postgresql://dash:s3cret@main/dash"]}})
    assert "s3cret" not in only_sentence(folder) and "database_url" in only_sentence(folder)
    assert "s3cret" not in repr(Site.model_validate({"server": {"database_url": "postgresql://d:s3cret@m/d"}}))


words = st.sampled_from(["", "/mnt", "a\nb", "base", "indoor_nas", "url", "raw/", "é" * 80])
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 9) | words,
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(words, inner, max_size=2),
    max_leaves=5,
)
keys = st.sampled_from(
    ["global", "devices", "storage_paths", "server", "dispatch", "extra_stores", "gpu", "stores", "x"]
)


@given(content=st.dictionaries(keys, json_values, max_size=4))
def test_no_json_gives_anything_but_settings_or_sentences(tmp_path_factory: Any, content: dict[str, Any]) -> None:
    folder = tmp_path_factory.mktemp("config")
    write(folder, content, d=content)
    for sentence in check(folder):
        assert sentence.startswith(str(folder)) and "\n" not in sentence
    try:
        load_device(folder, "d")
    except ConfigError as error:
        assert error.sentences
