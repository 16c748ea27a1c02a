"""``python -m blocks.register``: block types and their documents from the site's settings. Safe to repeat."""

import asyncio
import sys

from prefect.client.orchestration import PrefectClient, get_client

from blocks.types import MAIN_SERVER, MainServer, MediaStore
from dashcam import config

DESCRIPTIONS = {
    "indoor_nas": "Raw clips and intermediates: raw/, preproc/, heavy_output/",
    "shed_nas": "The archive: one folder per video",
    "local": "Clips anywhere on this machine (embedded system)",
}


async def register(site: config.Site, client: PrefectClient) -> list[str]:
    """Registers the types and saves one document per store and one for the main server; returns their slugs.

    The settings are the truth: a document that was edited in Prefect is set back.
    """
    saved = []
    markers = site.store_markers()
    await MediaStore.aregister_type_and_schema(client=client)
    for store, root in site.stores().items():
        block = MediaStore(store=store, root=root, marker=markers.get(store), description=DESCRIPTIONS.get(store, ""))
        saved.append(await save(client, block, document_name(store)))
    await MainServer.aregister_type_and_schema(client=client)
    server = MainServer(url=site.server.url, prefect_url=site.server.prefect_url)
    saved.append(await save(client, server, MAIN_SERVER))
    return saved


def document_name(store: str) -> str:
    """Prefect's names have only lower-case letters, digits and dashes: ``indoor_nas`` is ``indoor-nas``."""
    return store.lower().replace("_", "-")


async def save(client: PrefectClient, block: MediaStore | MainServer, name: str) -> str:
    await block.asave(name, overwrite=True, client=client)
    return f"{block.get_block_type_slug()}/{name}"


async def register_all(site: config.Site) -> list[str]:
    async with get_client() as client:
        return await register(site, client)


def main() -> int:
    try:
        saved = asyncio.run(register_all(config.load_site()))
    except config.ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(saved))
    return 0


if __name__ == "__main__":
    sys.exit(main())
