"""``python -m blocks.register``: block types and their documents from the site's settings. Safe to repeat."""

import sys

from blocks.types import MAIN_SERVER, MainServer, MediaStore
from dashcam import config

DESCRIPTIONS = {
    "indoor_nas": "Raw clips and intermediates: raw/, preproc/, heavy_output/",
    "shed_nas": "The archive: one folder per video",
    "local": "Clips anywhere on this machine (embedded system)",
}


def register(site: config.Site) -> list[str]:
    """Registers the types and saves one document per store and one for the main server; returns their slugs.

    The settings are the truth: a document that was edited in Prefect is set back. Talks to ``PREFECT_API_URL``.
    """
    saved = []
    markers = site.store_markers()
    MediaStore.register_type_and_schema()
    for store, root in site.stores().items():
        block = MediaStore(store=store, root=root, marker=markers.get(store), description=DESCRIPTIONS.get(store, ""))
        saved.append(_save(block, document_name(store)))
    MainServer.register_type_and_schema()
    server = MainServer(url=site.server.url, prefect_url=site.server.prefect_url)
    saved.append(_save(server, MAIN_SERVER))
    return saved


def document_name(store: str) -> str:
    """Prefect's names have only lower-case letters, digits and dashes: ``indoor_nas`` is ``indoor-nas``."""
    return store.lower().replace("_", "-")


def _save(block: MediaStore | MainServer, name: str) -> str:
    block.save(name, overwrite=True)
    return f"{block._block_type_slug}/{name}"


def main() -> int:
    try:
        saved = register(config.load_site())
    except config.ConfigError as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(saved))
    return 0


if __name__ == "__main__":
    sys.exit(main())
