"""HTTPS before the main server: what Caddy is told, for a site with an authority of its own."""

import base64
import os
import shutil
from pathlib import Path
from urllib.parse import urlsplit

from dashcam import Explained, config, whole_file
from dashcam.config import Site

PREFECT_PORT = 4443
"""Of Prefect's pages, for an admin who has logged in to the WebUI."""

CADDYFILE = """\
# Written by `dashcam https` whenever it starts.
{{
	admin off
	auto_https disable_redirects
	skip_install_trust
	storage file_system "{state}"
	pki {{
		ca local {{
			root {{
				cert "{certificate}"
				key "{key}"
			}}
		}}
	}}
}}

https://{host}:{port} {{
	tls internal
	encode gzip
	reverse_proxy {server}
}}

https://{host}:{prefect_port} {{
	tls internal
	forward_auth {server} {{
		uri /log-in/check
		header_up -Authorization
	}}
	reverse_proxy {prefect} {{
		header_up Authorization "Basic {{$PREFECT_BASIC}}"
	}}
}}
"""


def caddyfile(site: Site, folder: Path, state: Path) -> str:
    """For the site whose settings lie in ``folder``; Caddy keeps its certificates in ``state``."""
    public, prefect = urlsplit(site.server.url), urlsplit(site.server.prefect_url)
    return CADDYFILE.format(
        state=state,
        certificate=folder / config.AUTHORITY_FILE,
        key=folder / AUTHORITY_KEY,
        host=public.hostname,
        port=public.port or 443,
        server=f"127.0.0.1:{site.server.port}",
        prefect_port=PREFECT_PORT,
        prefect=prefect.netloc,
    )


AUTHORITY_KEY = "authority.key"


def is_ours(site: Site, folder: Path) -> bool:
    """Whether HTTPS is served by `dashcam https`, and not by a proxy of the owner's."""
    return site.server.url.startswith("https://") and (folder / AUTHORITY_KEY).exists()


def prepared(site: Site, folder: Path) -> tuple[list[str], dict[str, str]]:
    """Caddy's command line and environment, its file written. Raises `Explained`."""
    if not is_ours(site, folder):
        raise Explained("This site has no HTTPS of its own: `dashcam init --https` makes what it needs.")
    caddy = shutil.which("caddy")
    if caddy is None:
        raise Explained("Caddy is not installed, which serves HTTPS (Debian, Ubuntu: sudo apt install caddy).")
    state = Path(site.server.prefect_home).parent / "caddy"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    file = state / "Caddyfile"
    whole_file.write(file, caddyfile(site, folder, state).encode())
    basic = base64.b64encode((config.prefect_login(folder) or "").encode()).decode()
    home = {"XDG_DATA_HOME": str(state), "XDG_CONFIG_HOME": str(state)}
    return (
        [caddy, "run", "--adapter", "caddyfile", "--config", str(file)],
        os.environ | home | {"PREFECT_BASIC": basic},
    )
