"""Where ccxt finds a sandbox, as its `urls` spell a venue's hosts."""

from typing import Any


def hosts_of(url: str) -> dict[str, Any]:
    """The hosts of the sandbox at `url` (``http://HOST:PORT``): REST, and both websockets."""
    websocket = url.replace("http", "ws", 1) + "/ws"
    sockets = {"public": f"{websocket}/public", "private": f"{websocket}/private"}
    return {"rest": url, "ws": {"swap": sockets}}
