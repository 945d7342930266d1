"""The short set of the drills: every law holds on a bad day.

`bubbybot drill` runs the long one.
"""

import json

import pytest
from click.testing import CliRunner

from bubbybot_freqtrade.blofin.exchange.account_stream import AccountStream
from bubbybot_freqtrade.cli import main
from bubbybot_freqtrade.drills import limits

CODES = ("429", "500", "102022", "102038", "103003", "103013", "152404", "152407", "152409")


@pytest.mark.parametrize(
    "kind", ["timeout", "reset", "502 after effect", "truncated body", "outage"]
)
def test_no_answer_that_is_lost_breaks_a_law(run_drill, kind):
    figures = run_drill("lost-answers", words=(f"/ {kind}",))
    assert figures.broken == []
    # Eight requests by path and use, two account modes, two closings.
    assert figures.inputs >= 11
    assert figures.faults >= 10


@pytest.mark.parametrize("code", CODES)
def test_no_refused_order_breaks_a_law(run_drill, code):
    figures = run_drill("refusals", words=(f"code {code}",))
    assert figures.broken == []
    assert figures.faults >= 5


def test_nothing_that_happens_to_a_trade_breaks_a_law(run_drill):
    figures = run_drill("refusals", words=("owner", "key", "clock", "fill", "stop accepted", "403"))
    assert figures.broken == []
    assert figures.inputs >= 20


def test_what_only_one_side_knows_is_found_and_never_traded_over(run_drill):
    figures = run_drill("orphans")
    assert figures.broken == []
    assert figures.inputs == 16


def test_the_strategy_sees_the_venues_finished_candles_alone(run_drill):
    figures = run_drill(
        "streams", words=("nothing", "again and again", "middle", "missing", "corrected")
    )
    assert figures.broken == []
    assert figures.inputs == 5


def test_a_bot_that_listens_keeps_the_laws_though_every_push_comes_twice(run_drill):
    figures = run_drill("streams", words=("account stream twice",))
    assert figures.broken == []
    assert figures.inputs == 5


@pytest.mark.parametrize("listens", [True, False])
def test_bots_that_should_listen_and_hear_nothing_break_a_drill(run_drill, monkeypatch, listens):
    if not listens:
        monkeypatch.setattr(AccountStream, "start", lambda _: None)
    as_it_is = {"tpsl_detail": "order-tpsl-detail"}
    words = ("other margin mode",)
    figures = run_drill("outside", words=words, readings=as_it_is, account_stream=True)
    told = [note for note in figures.notes if "pushes of accounts, at" in note]
    silent = ["its bots should have listened, and nothing was pushed to them"]
    assert (bool(told), figures.broken) == ((True, []) if listens else (False, silent))


def test_kills_leave_nothing_behind(run_drill):
    figures = run_drill("kills", kills=6, seed=3)
    assert figures.broken == []
    assert figures.kills == 6


def test_a_bot_that_trades_as_much_as_it_may_stays_under_the_venues_limits(run_drill):
    figures = run_drill("limits", minutes=4, pairs=16)
    assert figures.broken == []
    assert any("8 at most" in note for note in figures.notes)
    assert figures.secrets == 0


def test_many_pairs_are_traded_by_the_quarter_of_an_hour_under_the_venues_limits(
    run_drill, monkeypatch
):
    # Some pairs stand for hundreds: the venue makes 480 days of the market for each.
    monkeypatch.setattr(limits, "MOST_PAIRS_BY_THE_MINUTE", 7)
    said = []
    figures = run_drill("limits", minutes=4, pairs=8, say=said.append)
    assert figures.broken == []
    assert any("4 at most" in note for note in figures.notes)
    assert any("4 positions" in line for line in said)


@pytest.mark.parametrize(
    ("cases", "account_stream"),
    [(("opposite sides",), False), (("the same side", "refused"), True)],
)
def test_two_bots_that_enter_a_pair_in_one_second_share_the_account(
    run_drill, tmp_path, cases, account_stream
):
    figures = run_drill("two-bots", words=cases, minutes=3, account_stream=account_stream)
    assert figures.broken == []
    assert figures.inputs == len(cases)
    configs = [json.loads(file.read_text()) for file in tmp_path.rglob("config.json")]
    told = {config["exchange"]["account_stream"] for config in configs}
    assert told == {account_stream}


def test_an_unknown_drill_is_refused_by_name():
    result = CliRunner().invoke(main, ["drill", "--only", "earthquake"])
    assert result.exit_code == 2
    assert "lost-answers" in result.output


def test_the_command_prints_its_figures_and_leaves_the_bots_logs(tmp_path):
    result = CliRunner().invoke(
        main, ["drill", "--only", "random-faults", "--steps", "20", "--out", str(tmp_path)]
    )
    assert result.exit_code == 0, result.output
    assert "leaks" in result.output
    assert list(tmp_path.glob("random-faults/*/bot.log"))
