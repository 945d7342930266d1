"""A bot with real money at a venue that nobody has measured: one line of advice, no refusal."""

import logging

import pytest

START = "bubbybot_freqtrade.blofin.exchange.start"
ADVICE = "bubbybot verify -c config.demo.json"


@pytest.fixture
def elsewhere(monkeypatch):
    """The venue is not on this machine, as far as the start can tell."""
    monkeypatch.setattr(f"{START}.is_on_this_machine", lambda api: False)
    monkeypatch.setattr(f"{START}.check_secrets_files", lambda files: None)


def advice(caplog):
    return [line for line in caplog.messages if ADVICE in line]


@pytest.mark.parametrize(
    ("is_demo", "is_measured", "lines"), [(False, False, 1), (False, True, 0), (True, False, 0)]
)
def test_advice_is_given_once_where_nothing_was_measured(
    open_desk, elsewhere, caplog, is_demo, is_measured, lines
):
    desk = open_desk()
    if is_measured:
        profile = desk.folder / "verify" / "venue.json"
        profile.parent.mkdir(parents=True)
        profile.write_text("{}")
    with caplog.at_level(logging.INFO):
        desk.start(exchange={"demo_trading": is_demo})
        desk.loop()
    assert len(advice(caplog)) == lines


def test_a_sandbox_needs_no_advice(open_desk, caplog):
    with caplog.at_level(logging.INFO):
        open_desk().start()
    assert not advice(caplog)
