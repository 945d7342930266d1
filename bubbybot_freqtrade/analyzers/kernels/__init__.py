"""Numba walks for the parts of the analyzers that carry state from candle to candle.

The modules below are imported on first use (PEP 562), because importing Numba costs more than
importing all three analyzers, and commands such as ``freqtrade list-strategies`` never populate a
frame.

Every kernel takes C-contiguous, writable float64/int64/bool arrays, so that each compiles for one
signature only and the second start finds it in the cache.
"""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bubbybot_freqtrade.analyzers.kernels import (
        averages as averages,
    )
    from bubbybot_freqtrade.analyzers.kernels import (
        clock as clock,
    )
    from bubbybot_freqtrade.analyzers.kernels import (
        cycles as cycles,
    )
    from bubbybot_freqtrade.analyzers.kernels import (
        fading as fading,
    )
    from bubbybot_freqtrade.analyzers.kernels import (
        pivots as pivots,
    )
    from bubbybot_freqtrade.analyzers.kernels import (
        profile as profile,
    )
    from bubbybot_freqtrade.analyzers.kernels import (
        structure as structure,
    )
    from bubbybot_freqtrade.analyzers.kernels import (
        zones as zones,
    )

__all__ = [
    "averages",
    "clock",
    "cycles",
    "fading",
    "pivots",
    "profile",
    "structure",
    "zones",
]


def __getattr__(name: str) -> ModuleType:
    if name in __all__:
        return importlib.import_module(f"{__name__}.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
