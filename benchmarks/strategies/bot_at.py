"""freqtrade's command line at another time of day; says what it analyzed when, and asked for.

    python bot_at.py FILE SECONDS CLOSE freqtrade's own words …

FILE takes the answer, SECONDS is how far its time is from now, CLOSE (ms) when candles close.
"""

import json
import sys
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import time_machine

file, offset, close_ms = Path(sys.argv.pop(1)), float(sys.argv.pop(1)), int(sys.argv.pop(1))
# Before freqtrade is imported, as a machine with such a clock would have it.
time_machine.travel(datetime.fromtimestamp(time.time() + offset, tz=UTC), tick=True).start()

from freqtrade.data.dataprovider import DataProvider  # noqa: E402
from freqtrade.main import main  # noqa: E402

from bubbybot_freqtrade.blofin.ccxt_blofin.budget import RequestBudget  # noqa: E402

QUARTER_MS = 900_000
analyzed: dict[str, float] = {}
asked: list[float] = []
_keep, _reserve = DataProvider._set_cached_df, RequestBudget.reserve


def keep(provider: DataProvider, pair: str, timeframe: str, frame: Any, **kind: Any) -> None:
    """freqtrade has analyzed a pair; a follower, when its producer's row of the candle is there."""
    _keep(provider, pair, timeframe, frame, **kind)
    newest_ms = int(frame["date"].iat[-1].timestamp() * 1000) + QUARTER_MS
    is_known = "plan_atr" not in frame or frame["plan_atr"].notna().iat[-1]
    if newest_ms == close_ms and is_known:
        analyzed.setdefault(pair, time.time() - close_ms / 1000)


def reserve(budget: RequestBudget, *args: Any) -> float:
    """A request is going to be sent."""
    if budget._all[0][0] == 60.0:
        asked.append(time.time())
    return _reserve(budget, *args)


DataProvider._set_cached_df = keep
RequestBudget.reserve = reserve
try:
    main()
finally:
    after = sum(at >= close_ms / 1000 for at in asked)
    found = {"analyzed": list(analyzed.values()), "requests": len(asked), "after": after}
    file.write_text(json.dumps(found))
