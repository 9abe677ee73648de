"""Which addresses only this machine can reach, and what it takes to listen on others."""

import ipaddress
from urllib.parse import urlsplit

from proxy.config import Config


def is_loopback(host: str) -> bool:
    """Return whether a host name or address can only mean this machine."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_local_origin(origin: str) -> bool:
    """Return whether an Origin header names a page that this machine itself serves."""
    try:
        return is_loopback(urlsplit(origin).hostname or "")
    except ValueError:
        return False


def is_open(config: Config) -> bool:
    """Return whether anybody on another machine could use the proxy."""
    server = config.server
    local = server.uds is not None or is_loopback(server.host)
    return not local and not config.access.required


def why_not_to_listen(config: Config) -> str | None:
    """Return why the proxy must not listen where the config says, with the ways out; or None."""
    if not is_open(config) or config.server.allow_open:
        return None
    return (
        f"{config.server.host or 'every address'} is reached from other machines, and no proxy "
        "keys are configured: whoever can connect could use the proxy and its upstreams' keys. "
        "Make a key (`tersely keys create NAME`) and put it under `access: keys:`; or listen on "
        "127.0.0.1; or, where something else keeps strangers out, say so with --allow-open or "
        "`server: allow_open: true`."
    )
