"""BloFin on localhost: the venue's REST and websocket API over real or generated candles.

Knows nothing of freqtrade or of the rest of this package. `server.Sandbox` runs it in a thread of
this process, `bubbybot sandbox` in a process of its own.
"""

from bubbybot_freqtrade.sandbox.api.faults import Fault
from bubbybot_freqtrade.sandbox.server import Sandbox, SandboxError
from bubbybot_freqtrade.sandbox.settings import (
    DEMO_API_KEY,
    DEMO_PASSPHRASE,
    DEMO_SECRET,
    DEMO_UID,
    ApiKey,
    SandboxSettings,
)

__all__ = [
    "DEMO_API_KEY",
    "DEMO_PASSPHRASE",
    "DEMO_SECRET",
    "DEMO_UID",
    "ApiKey",
    "Fault",
    "Sandbox",
    "SandboxError",
    "SandboxSettings",
]
