"""Kinds of values that settings have, each with the sentence that says what it must be."""

import re
from ipaddress import ip_network
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated
from zoneinfo import ZoneInfo

from pydantic import AfterValidator


def _absolute(value: str) -> str:
    # a site file names paths of every device, so what another system calls absolute is right too
    if not (PurePosixPath(value).is_absolute() or PureWindowsPath(value).is_absolute()):
        raise ValueError("must be an absolute path such as /mnt/nas-1, D:\\videos or //nas-1/videos")
    return value


def _web_address(value: str) -> str:
    if not value.startswith(("http://", "https://")):
        raise ValueError("must be a web address such as http://main-server:8000")
    return value.rstrip("/")


def _time_zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, LookupError):
        raise ValueError("must be the name of a time zone such as Europe/London") from None
    return value


def _file_name(value: str) -> str:
    if not value or "/" in value or "\\" in value or "\0" in value or value.startswith("."):
        raise ValueError("must be a plain name without slashes, and not start with a dot")
    return value


def _marker_name(value: str) -> str:
    return _file_name(value.removeprefix(".")) and value


def _store_name(value: str) -> str:
    if not re.fullmatch(r"[a-z][a-z0-9_]*", value):
        raise ValueError("must be a store's name: lower-case letters, digits and '_'")
    return value


def _coral_path(value: str) -> str:
    if not re.fullmatch(r"/dev/bus/usb/\d{3}/\d{3}|/dev/apex_\d+", value):
        raise ValueError("must be a stick such as /dev/bus/usb/001/003, or a card such as /dev/apex_0")
    return value


def _hours(value: str) -> str:
    clock = r"([01]\d|2[0-3]):[0-5]\d"
    begin, _, end = value.partition("-")
    if not re.fullmatch(f"{clock}-{clock}", value) or begin == end:
        raise ValueError('must be two different times of day such as "22:00-07:00"')
    return value


def _network(value: str) -> str:
    try:
        return str(ip_network(value, strict=False))
    except ValueError:
        raise ValueError("must be an address or network such as 192.168.1.2 or 192.168.1.0/24") from None


def _mqtt_topic(value: str) -> str:
    if not re.fullmatch(r"[\w-]+(/[\w-]+)*", value, re.ASCII):
        raise ValueError("must be a topic such as dashcam or house/dashcam: letters, digits, '-', '_' and '/'")
    return value


MqttTopic = Annotated[str, AfterValidator(_mqtt_topic)]
Network = Annotated[str, AfterValidator(_network)]
Hours = Annotated[str, AfterValidator(_hours)]
StoreName = Annotated[str, AfterValidator(_store_name)]
AbsolutePath = Annotated[str, AfterValidator(_absolute)]
WebAddress = Annotated[str, AfterValidator(_web_address)]
CoralPath = Annotated[str, AfterValidator(_coral_path)]
TimeZone = Annotated[str, AfterValidator(_time_zone)]
FileName = Annotated[str, AfterValidator(_file_name)]
MarkerName = Annotated[str, AfterValidator(_marker_name)]
