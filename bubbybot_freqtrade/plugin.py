"""Registers BloFin with freqtrade as soon as freqtrade is imported.

freqtrade looks an exchange up as an attribute of ``freqtrade.exchange`` and has no plugin hook, so
``bubbybot_freqtrade.pth`` imports this module at every start of Python. It must cost next to
nothing there: it only puts a finder in front of the import system, which steps aside the moment
``freqtrade.exchange`` is asked for and registers BloFin once that module is complete.
"""

import sys

TYPE_CHECKING = False  # typing is too heavy an import for every start of Python
if TYPE_CHECKING:
    from collections.abc import Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

_HOST_MODULE = "freqtrade.exchange"


class _RegisterAfterImport:
    """A meta path finder that watches for one module, once."""

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        if name != _HOST_MODULE:
            return None
        from importlib.util import find_spec

        sys.meta_path.remove(self)
        spec = find_spec(name)
        if spec is None or spec.loader is None:
            return spec
        complete = spec.loader.exec_module

        def complete_and_register(module: "ModuleType") -> None:
            complete(module)
            register(module)

        spec.loader.exec_module = complete_and_register  # type: ignore[method-assign]
        return spec


def register(host: "ModuleType") -> None:
    """Give ``freqtrade.exchange`` (`host`) and ccxt our BloFin, unless freqtrade has its own."""
    import logging

    logger = logging.getLogger(__name__)
    if hasattr(host, "Blofin"):
        logger.warning(
            "This freqtrade brings its own BloFin exchange: BubbyBot's extension stands aside. "
            "Entries are then not sent with their stop; see BubbyBot's release notes."
        )
        return
    try:
        import ccxt
        import ccxt.async_support
        import ccxt.pro

        from bubbybot_freqtrade.blofin.ccxt_blofin import BlofinAsync, BlofinPro, BlofinSync
        from bubbybot_freqtrade.blofin.exchange.blofin import Blofin
    except ImportError as e:
        # freqtrade must go on working for other exchanges; it refuses BloFin by itself then.
        from bubbybot_freqtrade.seams.listed import TESTED

        logger.warning(
            "BloFin is not available, its extension does not fit this freqtrade: %s. It was tested "
            "with freqtrade %s to %s.",
            e,
            TESTED[0],
            TESTED[-1],
        )
        return
    ccxt.blofin = BlofinSync
    ccxt.async_support.blofin = BlofinAsync
    ccxt.pro.blofin = BlofinPro
    host.Blofin = Blofin  # type: ignore[attr-defined]


def arm() -> None:
    """Register now when freqtrade is already imported, else as soon as it is."""
    if _HOST_MODULE in sys.modules:
        register(sys.modules[_HOST_MODULE])
    else:
        sys.meta_path.insert(0, _RegisterAfterImport())


arm()
