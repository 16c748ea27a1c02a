"""The block types of this project, as they show in the Prefect UI."""

from prefect.blocks.core import Block
from pydantic import Field


class MediaStore(Block):
    """A named storage root. A device that has it mounted elsewhere says so in its own file, which wins."""

    _block_type_name = "Media store"
    _block_type_slug = "media-store"

    store: str = Field(description="Name in addresses such as indoor_nas:raw/2026-06-28/clip.MP4")
    root: str = Field(description="Folder, drive or share, e.g. /mnt/nas-1 or //nas-1/videos")
    marker: str | None = Field(
        None, description="A file that must lie in the root; without it nothing is mounted there"
    )
    description: str = Field("", description="What the store holds")


class MainServer(Block):
    """Where the main server is. Tokens are not here: each device has its own, in its environment or a 0600 file.

    A block is one document for all devices, and Prefect keeps its secrets beside the key that encrypts them.
    """

    _block_type_name = "Main server"
    _block_type_slug = "main-server"

    url: str = Field(description="Of the REST API and the WebUI, e.g. http://main-server:8000")
    prefect_url: str = Field(description="Of the Prefect API, e.g. http://main-server:4200/api")


MAIN_SERVER = "main-server"
"""The name of the one document of type `MainServer`."""
