"""Where things lie, for all tests."""

import os
from pathlib import Path

ROOT = Path(__file__).parents[1]
"""The repository."""

RECORDED = Path(os.environ.get("BUBBYBOT_DATA", ROOT.parent / "shared" / "data"))
"""Recorded candles, in a folder of freqtrade's for each source: binance-15m, binance-1m."""
