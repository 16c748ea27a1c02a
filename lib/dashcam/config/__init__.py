"""Typed settings of the site and of one device, from ``config.json``, ``devices/<hostname>.json`` and ``DASHCAM_*``."""

from dashcam.config.certificates import AUTHORITY_FILE, authority, certificates
from dashcam.config.load import (
    DEFAULT_FOLDER,
    SITE_FILE,
    check,
    config_folder,
    load_device,
    load_site,
    mqtt_login,
    prefect_login,
    token,
)
from dashcam.config.model import MARKER, DeviceFile, DeviceSettings, PreprocessSettings, Site
from dashcam.config.pools import POOLS, DeviceType, pool_of
from dashcam.config.prefect import client_settings, has_home, server_settings, tell_prefect
from dashcam.config.sentences import ConfigError

__all__ = [
    "AUTHORITY_FILE",
    "DEFAULT_FOLDER",
    "MARKER",
    "POOLS",
    "SITE_FILE",
    "ConfigError",
    "DeviceFile",
    "DeviceSettings",
    "DeviceType",
    "PreprocessSettings",
    "Site",
    "authority",
    "certificates",
    "check",
    "client_settings",
    "config_folder",
    "has_home",
    "load_device",
    "load_site",
    "mqtt_login",
    "pool_of",
    "prefect_login",
    "server_settings",
    "tell_prefect",
    "token",
]
