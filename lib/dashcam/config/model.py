"""What can be set, with units and limits: the keys of the deployment guide's chapters 4 and 5, and our own."""

import getpass
import os
import tempfile
from pathlib import Path, PurePath
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationInfo, field_validator

from dashcam.config.kinds import (
    AbsolutePath,
    CoralPath,
    FileName,
    Hours,
    MarkerName,
    Network,
    StoreName,
    TimeZone,
    WebAddress,
)
from dashcam.config.pools import POOLS, DeviceType, MayBeMissing, Pool, pools_of
from dashcam.config.privacy import PrivacySettings
from dashcam.config.telling import MqttSettings, NotifySettings

DetectorEngine = Literal["auto", "onnx", "ultralytics", "tflite"]
ProposalEngine = Literal["auto", "edgetpu", "tflite", "none"]
MARKER = ".dashcam-store"
"""The file that says that a store is mounted, where its settings name no other."""


class Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)


class RetentionDays(Section):
    """Days a file is kept after its clip's archive was verified. Of what preprocessing and the heavy stage wrote
    finalizing removes at once what has 0; the rest goes with ``retention``."""

    raw_videos: int | None = Field(90, ge=0)
    """None is for ever."""
    preproc_data: int = Field(30, ge=0)
    heavy_output: int = Field(7, ge=0)


class GlobalSettings(Section):
    task_retry_delay_seconds: float = Field(300, ge=0)
    max_concurrent_tasks_per_device: int = Field(1, ge=1)
    storage_retention_days: RetentionDays = RetentionDays()


class RetentionSettings(Section):
    """Whether anything is removed by ``global.storage_retention_days``, and how much at once (docs/retention.md)."""

    enabled: bool = False
    """Until then it is only reported what would go."""
    lowres_months: int | None = Field(None, ge=1)
    """How long the small copy is kept in the archive; None is for ever. Crops and frames stay in any case."""
    cold_store: StoreName | None = None
    """One of ``extra_stores``, to which a clip's record is copied before its small copy goes; None: to none."""
    most_of_store: float = Field(0.1, gt=0, le=1)
    """At most this share of a store's size goes in one run."""
    most_of_videos: float = Field(0.2, gt=0, le=1)
    """If more than this share of all videos would lose their clip or small copy at once, nothing goes by itself."""


class BackupSettings(Section):
    """Copies of the database (docs/backup.md)."""

    folder: AbsolutePath | None = None
    """On the main server; None is ``backups`` beside an SQLite database. Another copy lies in the archive's store."""
    keep: int = Field(7, ge=1)
    """So many are kept in each of the two."""


class IndoorNas(Section):
    base: AbsolutePath
    raw: Literal["raw/", "raw"] = "raw/"
    preproc: Literal["preproc/", "preproc"] = "preproc/"
    heavy_output: Literal["heavy_output/", "heavy_output"] = "heavy_output/"
    marker: MarkerName | None = None
    """A file that must lie in ``base``, or it counts as not mounted; None is `MARKER` in a site of several machines."""


class ShedNas(Section):
    archive_base: AbsolutePath
    marker: MarkerName | None = None


class StoragePaths(Section):
    indoor_nas: IndoorNas | None = None
    shed_nas: ShedNas | None = None


class ServerSettings(Section):
    """The main server: where it is found, and how its web process listens."""

    url: WebAddress = "http://127.0.0.1:8000"
    prefect_url: WebAddress = "http://127.0.0.1:4200/api"
    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65535)
    database_url: str = Field("sqlite:////var/lib/dashcam-processor/dashcam.db", repr=False)
    """A SQLAlchemy URL. With a password in it, it belongs into ``DASHCAM_DATABASE_URL`` or a file of mode 0600."""
    time_zone: TimeZone | None = None
    """Of the cameras' clocks, unless a device says otherwise; None is this machine's own."""
    prefect_home: AbsolutePath = "/var/lib/dashcam-processor/prefect"
    """On the main server: where Prefect's own server keeps its database."""
    tile_url: WebAddress | None = None
    """Map tiles of your own server, as ``http://tiles.lan/{z}/{x}/{y}.png``; None leaves land, borders and towns."""
    streets_file: AbsolutePath = "/var/lib/dashcam-processor/streets.pmtiles"
    """On the main server: where `dashcam map get` puts the streets of the maps."""


class AccessSettings(Section):
    """Who is let in (docs/access.md)."""

    login: Literal["auto", "on", "off"] = "auto"
    """``auto``: whoever comes over a network has to log in; a server that only this machine reaches is open."""
    trusted_proxies: list[Network] = []
    """Their word counts for where a request comes from (``X-Forwarded-For``, ``X-Forwarded-Proto``), nobody else's."""
    session_days: int = Field(30, ge=1, le=365)
    """A browser that was not used for so long has to log in anew."""
    token_hours: float = Field(12, gt=0, le=24 * 31)
    """How long what ``POST /auth/token`` gives lets in."""


class DispatchSettings(Section):
    batch_minutes: float = Field(60, gt=0)
    """Cap of one flow run, in minutes of footage."""
    batch_linger_seconds: float = Field(4, ge=0)
    """How long the dispatcher waits for more tasks before it starts a run."""
    archive_linger_seconds: float = Field(120, ge=0)
    """The same for archiving and what follows: by then the clip's plates can be searched already."""
    max_failures: int = Field(3, ge=1)
    """Reported failures of one task after which ``dashcam process`` gives it up."""
    settle_seconds: float = Field(30, ge=0)
    """A file that has not changed for this long is no longer being written."""


class TripSettings(Section):
    """When a drive is over, and what counts as a driving event."""

    gap_minutes: float = Field(15, gt=0)
    """A longer pause between two clips ends the trip."""
    gap_metres: float = Field(500, ge=0)
    """So does a pause after which the car is further away, unless a clip may just be missing:"""
    missing_minutes: float = Field(5, ge=0)
    """up to this pause the distance does not matter."""
    long_stop_minutes: float = Field(5, gt=0)
    braking_mps2: float = Field(4.0, gt=0)
    cornering_mps2: float = Field(4.0, gt=0)
    speed_limit_kmh: float = Field(130, gt=0)
    """Driving faster is a driving event."""


class Lens(Section):
    """What a camera's picture spans; decides how far away a plate of known size is."""

    horizontal_fov_deg: float = Field(110, ge=10, le=200)
    projection: Literal["rectilinear", "fisheye"] = "rectilinear"
    """Straight lines stay straight, or equal angles take equal widths."""


class PlaceSettings(Section):
    """How the place of another car is estimated from its plate."""

    lenses: dict[Literal["front", "rear", "interior", "telephoto"], Lens] = {}
    """By camera; what is not named has the default, telephoto 40 degrees."""
    plate_width_m: float = Field(0.52, gt=0.1, lt=1)
    plate_height_m: float = Field(0.11, gt=0.05, lt=0.5)

    def lens(self, camera: str) -> Lens:
        for name, lens in self.lenses.items():
            if name == camera:
                return lens
        return Lens(horizontal_fov_deg=40) if camera == "telephoto" else Lens()


class PreprocessSettings(Section):
    """What PREPROCESS_VIDEO goes by. Each task carries what held when its clip was taken in, so that every device does
    alike; measures are those of docs/candidates.md."""

    keyframe_every_s: float = Field(0.9, gt=0)
    """Of keyframes that come more often some are passed over: decoding them is what the stage costs."""
    driving_every_s: float = Field(5.0, gt=0)
    """The same while the GPS says that the car drives: nothing is to be decided then, a look now and then shows light
    and focus."""
    side: int = Field(320, ge=96, le=2160)
    """Shorter side in pixels of the picture that is looked at: it fills the network's square from edge to edge."""
    too_dark: float = Field(0.04, ge=0, le=1)
    too_blurred: float = Field(0.0003, ge=0, le=1)
    no_structure: float = Field(0.001, ge=0, le=1)
    still: float = Field(0.0012, ge=0, le=1)
    """Below these nothing is left for the heavy stage: no street light, no edge, no tile, no change."""
    new_view_s: float = Field(3.0, ge=0)
    """Of a standing car's view this much is kept: what is parked there is in it."""
    region_score: float = Field(0.4, ge=0, le=1)
    """A region with this score counts: it saves a dark or blurred stretch; where none was before, the view is new."""
    audit_share: float = Field(0.02, ge=0, le=1)
    """Share of what preprocessing rejects that is looked at all the same, so that its misses are counted."""


class DeviceStorage(Section):
    local_scratch: AbsolutePath | None = None
    max_concurrent_tasks: int | None = Field(None, ge=1)


class CoralSettings(Section):
    device_path: CoralPath | None = None
    """A stick's numbers change when it is plugged in or first used: a path on the USB bus means any stick."""

    @property
    def delegate_device(self) -> str | None:
        """As Google's driver names it: ``usb`` or ``pci:N``; None leaves the choice to the driver."""
        if self.device_path is None:
            return None
        kind, _, number = self.device_path.rpartition("apex_")
        return f"pci:{number}" if kind else "usb"


class GpuSettings(Section):
    device_id: int = Field(0, ge=0)
    max_batch_size: int = Field(2, ge=1)
    yolo_model_path: str | None = None
    """YOLO weights of the GPU engine (ultralytics); ``detector_weights`` are the ONNX ones."""
    ocr_model: Literal["en"] = "en"
    """The language of the second reader (EasyOCR), as the guide has it; plates need none other."""
    easyocr_folder: AbsolutePath | None = None
    """Where EasyOCR's ``english_g2.pth`` lies; with it doubtful tracks are read a second time."""


class Availability(Section):
    """When a device works, in its own local time; nothing set is always. Otherwise its clips wait, or go elsewhere."""

    hours: list[Hours] = []
    """Only then, as ``"22:00-07:00"``; empty is all day."""
    gpu_load_percent: float | None = Field(None, ge=0, le=100)
    """It gives way when other programs load the graphics card more than this."""
    cpu_load_percent: float | None = Field(None, ge=0, le=100)
    """The same of all processor cores together."""
    quiet_minutes: float = Field(5, ge=0)
    """How long the load must have stayed below before it works again."""


class DeviceFile(Section):
    """``devices/<hostname>.json``, or an entry of ``devices`` in ``config.json``; every key may be left out."""

    device_type: DeviceType | None = None
    hostname: FileName | None = None
    storage: DeviceStorage = DeviceStorage()
    coral: CoralSettings | None = None
    gpu: GpuSettings | None = None
    stores: dict[str, AbsolutePath] = {}
    """A store's name to where this device has it mounted."""
    sample_fps: float = Field(5.0, gt=0, le=240)
    lowres_fps: float = Field(15.0, ge=0, le=240)
    detector_size: int = Field(640, ge=32, le=4096)
    detector_weights: str | None = None
    detector_engine: DetectorEngine = "auto"
    detector_batch: int = Field(0, ge=0, le=64)
    proposals: ProposalEngine = "auto"
    threads: int = Field(0, ge=0)
    time_zone: TimeZone | None = None
    availability: Availability = Availability()


def default_scratch() -> Path:
    """A folder for temporary files that no other user of this machine shares."""
    return Path(tempfile.gettempdir()) / f"dashcam-scratch-{user_name()}"


def user_name() -> str:
    """Of this process; its number where that has no name, as in many a container."""
    try:
        return getpass.getuser()
    except (KeyError, OSError, ImportError):
        return str(os.getuid()) if hasattr(os, "getuid") else "nobody"


class DeviceSettings(Section):
    """The device a process runs on, all sources merged; everything has a default that works."""

    hostname: str = "localhost"
    device_type: DeviceType = "main_server"
    scratch: Path = Field(default_factory=default_scratch)
    max_concurrent_tasks: int = 1
    sample_fps: float = 5.0
    """Frames per second of footage that the detector looks at, at most; see `dashcam.vision.track.sampling`."""
    lowres_fps: float = 15.0
    """Frames per second of the low-resolution copy, at most and about; 0 keeps every frame."""
    detector_size: int = 640
    """Longer side of the detector's input, in pixels."""
    detector_weights: Path | None = None
    """ONNX weights of the plate detector; None is the project's own."""
    detector_engine: DetectorEngine = "auto"
    """See `dashcam.vision.factory.detector_of`."""
    detector_batch: int = 0
    """Frames given to the detector at once; 0 is ``gpu.max_batch_size`` with a GPU and 1, the quickest, without."""
    proposals: ProposalEngine = "auto"
    """What finds regions in keyframes; see `dashcam.vision.triage.proposals.proposer_of`."""
    preprocess: PreprocessSettings = PreprocessSettings()
    """The site's, for tasks that carry none."""
    place: PlaceSettings = PlaceSettings()
    """The site's."""
    retention: RetentionDays = RetentionDays()
    """The site's ``global.storage_retention_days``."""
    threads: int = 0
    """CPU threads of one engine; 0 is all cores."""
    time_zone: str | None = None
    stores: dict[str, str] = {}
    coral: CoralSettings | None = None
    gpu: GpuSettings | None = None
    availability: Availability = Availability()

    @property
    def pool(self) -> str:
        return POOLS[self.device_type]


class Site(Section):
    """``config.json``: what all devices share."""

    global_: GlobalSettings = Field(GlobalSettings(), alias="global")
    devices: dict[FileName, DeviceFile] = {}
    storage_paths: StoragePaths = StoragePaths()
    server: ServerSettings = ServerSettings()
    access: AccessSettings = AccessSettings()
    dispatch: DispatchSettings = DispatchSettings()
    trips: TripSettings = TripSettings()
    place: PlaceSettings = PlaceSettings()
    preprocess: PreprocessSettings = PreprocessSettings()
    backup: BackupSettings = BackupSettings()
    notify: NotifySettings = NotifySettings()
    mqtt: MqttSettings = MqttSettings()
    extra_stores: dict[StoreName, AbsolutePath] = {}
    """Stores beside the two NAS; the embedded system has ``local: /`` for clips that lie anywhere."""
    extra_store_markers: dict[StoreName, MarkerName] = {}
    """Of each the file that must lie in it, or it counts as not mounted; as ``storage_paths.*.marker``."""
    retention: RetentionSettings = RetentionSettings()
    privacy: PrivacySettings = PrivacySettings()
    covered_by: dict[MayBeMissing, Pool] = {}
    """Of a pool without devices the one whose devices do its work as well."""

    @field_validator("covered_by")
    @classmethod
    def _covering_devices_are_there(cls, covered_by: dict[MayBeMissing, Pool]) -> dict[MayBeMissing, Pool]:
        for pool, covering in covered_by.items():
            if covering in covered_by:
                raise ValueError(f"{pool} cannot be left to {covering}, which is said to have no devices itself")
        return covered_by

    def pools_of(self, device_type: str) -> list[str]:
        """Those that a device of this type works for here, its own first."""
        return pools_of(device_type, self.covered_by)

    @field_validator("retention")
    @classmethod
    def _cold_store_is_known(cls, retention: RetentionSettings, others: ValidationInfo) -> RetentionSettings:
        stores = others.data.get("extra_stores", {})
        if retention.cold_store is not None and retention.cold_store not in stores:
            raise ValueError(f"cold_store must be one of extra_stores, which has {', '.join(stores) or 'none'}")
        return retention

    @field_validator("extra_store_markers")
    @classmethod
    def _marked_stores_are_known(cls, markers: dict[str, str], others: ValidationInfo) -> dict[str, str]:
        stores = others.data.get("extra_stores", {})
        if unknown := sorted(set(markers) - set(stores)):
            raise ValueError(f"{unknown[0]} is none of extra_stores, which has {', '.join(stores) or 'none'}")
        return markers

    @property
    def mounts(self) -> dict[str, str]:
        """Of `stores` those that may be missing: the root of this machine's own files is always there."""
        return {name: root for name, root in self.stores().items() if PurePath(root) != PurePath(PurePath(root).anchor)}

    def stores(self) -> dict[str, str]:
        """Every store of the site and its root as the site names it."""
        named = dict(self.extra_stores)
        if self.storage_paths.indoor_nas:
            named["indoor_nas"] = self.storage_paths.indoor_nas.base
        if self.storage_paths.shed_nas:
            named["shed_nas"] = self.storage_paths.shed_nas.archive_base
        return named

    def store_roots(self, device: DeviceSettings | None = None) -> dict[str, Path]:
        """Every store and its folder on ``device``, whose own ``stores`` win over the site's paths."""
        roots = self.stores() | (device.stores if device else {})
        return {name: Path(root) for name, root in roots.items()}

    def store_markers(self) -> dict[str, str]:
        """The stores that must hold a marker file, and its name; for ``Stores(roots, markers)``."""
        indoor_nas, shed_nas = self.storage_paths.indoor_nas, self.storage_paths.shed_nas
        markers = {
            "indoor_nas": indoor_nas.marker if indoor_nas else None,
            "shed_nas": shed_nas.marker if shed_nas else None,
        }
        return {name: marker for name, marker in (self.extra_store_markers | markers).items() if marker}
