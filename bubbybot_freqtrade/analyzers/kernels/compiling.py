"""How the kernels are compiled: cached on disk, and still working where nothing can be written."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from numba import njit

logger = logging.getLogger(__name__)


def kernel(function: Callable[..., Any]) -> Callable[..., Any]:
    """
    Compile on first call and keep the machine code on disk.

    Numba puts the code beside the source, or into the user's cache folder when the installation is
    read-only (``NUMBA_CACHE_DIR`` overrides both). Where neither can be written, it refuses to
    build a cached function at all; such a start compiles in memory instead, which only costs time.
    """
    try:
        return njit(cache=True, nogil=True)(function)
    except RuntimeError as error:  # "cannot cache function ...: no locator available"
        logger.warning(
            "%s is compiled anew at every start (%s). Set NUMBA_CACHE_DIR to a writable folder.",
            function.__name__,
            error,
        )
        return njit(nogil=True)(function)
