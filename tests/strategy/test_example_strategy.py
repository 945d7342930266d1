"""The strategy on the page of the analyzers, as a reader would copy it, in a backtest."""

import re
from pathlib import Path

from bubbybot_freqtrade.search.backtests import BacktestDesk
from tests.places import ROOT

PAGE = ROOT / "docs" / "analyzers" / "index.md"


def test_the_pages_strategy_backtests(desk: BacktestDesk, tmp_path: Path) -> None:
    blocks = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), flags=re.DOTALL)
    (code,) = [block for block in blocks if "class TurnInTheTrend(IStrategy)" in block]
    (tmp_path / "TurnInTheTrend.py").write_text(code, encoding="utf-8")
    done = desk.run("20250301-20250430", strategy="TurnInTheTrend", strategy_path=str(tmp_path))
    trades = done.trades
    assert len(trades) > 20
    assert set(trades["enter_tag"]) == {"turn long", "turn short"}
    assert (trades["is_short"] == (trades["enter_tag"] == "turn short")).all()
    assert "exit_signal" in set(trades["exit_reason"])
