"""A market that BloFin takes off its list while it has a trade."""

import pytest
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC

from tests.blofin.desk import BTC, ETH


def earned(desk, inst_id):
    return sum(float(e.amount) for e in desk.sandbox.ledger().entries if e.inst_id == inst_id)


@pytest.mark.parametrize("restarted", [False, True], ids=["running", "restarted"])
def test_a_delisted_pair_ends_neither_the_bot_nor_the_care_for_others(open_desk, caplog, restarted):
    desk = open_desk()
    bot = desk.start()
    gone, other = desk.enter(ETH), desk.enter(BTC)
    if restarted:
        desk.stop()
    desk.sandbox.change_instrument("ETH-USDT", state="gone")
    if restarted:
        desk.pass_time(1)
        bot = desk.start()
        gone, other = (next(t for t in Trade.get_trades().all() if t.pair == p) for p in (ETH, BTC))
    desk.loop(minutes=61)
    for _ in range(4):
        desk.loop(minutes=1)
        RPC(bot)._rpc_trade_status()
    assert "doesn't list this market any more" in caplog.text
    closed = desk.closed(gone)
    assert closed.close_profit_abs == pytest.approx(earned(desk, "ETH-USDT"), abs=0.01)
    Trade.session.refresh(other)
    assert other.is_open
    assert len(desk.standing_stops(BTC)) == 1
    RPC(bot)._rpc_force_exit(str(other.id))
    desk.loop()
    assert desk.closed(other).exit_reason == "force_exit"
