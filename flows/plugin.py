"""Prefect's own command makes our work pools: ``prefect --no-prompt deploy --all`` on a new Prefect server.

Prefect calls plugins before its commands do their work, where ``plugins.enabled`` says so, as ``pyproject.toml`` does
for a checkout. It calls them wherever it is imported there, so nothing is imported here before it is needed.
"""

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from prefect.plugins import register_hook

if TYPE_CHECKING:
    from prefect.plugins import HookContext

PROJECT = Path(__file__).resolve().parents[1] / "prefect.yaml"


@register_hook
async def setup_environment(*, ctx: "HookContext") -> None:
    """The pools of ``prefect.yaml`` that Prefect does not have yet, when its deployments are about to be made. Ends the
    process in words where Prefect cannot be asked."""
    if deploys(sys.orig_argv) and ctx.api_url and Path(PROJECT.name).resolve() == PROJECT:
        import httpx
        from prefect.client.orchestration import get_client

        from flows.setup import make_missing_pools, unusable

        try:
            async with get_client() as client:
                made = await make_missing_pools(client)
        except httpx.HTTPError as error:
            sys.exit(unusable(error))
        if made:
            print(f"Made the work pools that Prefect did not have: {', '.join(made)}.")


def deploys(argv: list[str]) -> bool:
    """Whether the command line is that of ``prefect deploy``, or of ``python -m prefect deploy``."""
    programs = [Path(word).stem.lower() for word in argv]
    return "deploy" in argv and "prefect" in programs[: argv.index("deploy")]
