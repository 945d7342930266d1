"""Where candles lie: what a user names, or what freqtrade and the rehearsal make below it."""

from pathlib import Path

from freqtrade.misc import pair_to_filename

EXCHANGE = "blofin"
REHEARSAL = "rehearsal"
"""Folder of the rehearsal below the user data directory, unless it was given another."""


def candle_folder(given: Path) -> Path:
    """The folder that freqtrade loads from, for itself, its parent or a user data directory.

    A rehearsal's folder is such a directory too. Where nothing is found it is `given`.
    """
    below = (Path(), Path(EXCHANGE), Path("data") / EXCHANGE, Path("data"))
    return next((given / path for path in below if (given / path / "futures").is_dir()), given)


def folder_with(pair: str, folder: Path, user_data: Path) -> Path:
    """`folder`, or the rehearsal's below `user_data` where only that one has the pair's candles."""
    rehearsed = candle_folder(user_data / REHEARSAL)
    return rehearsed if _has(pair, rehearsed) and not _has(pair, folder) else folder


def _has(pair: str, folder: Path) -> bool:
    return any((folder / "futures").glob(f"{pair_to_filename(pair)}-*-futures.*"))
