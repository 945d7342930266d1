"""A bot whose venue is not a sandbox: what it is advised at its start, and refused."""

import logging

import pytest
from freqtrade.exceptions import ConfigurationError

START = "bubbybot_freqtrade.blofin.exchange.start"
ADVICE = "bubbybot verify -c config.demo.json"


@pytest.fixture
def elsewhere(monkeypatch):
    """The venue is not on this machine, as far as the start can tell."""
    monkeypatch.setattr(f"{START}.is_on_this_machine", lambda api: False)
    monkeypatch.setattr(f"{START}.check_secrets_files", lambda files: None)


def limited(desk):
    of_ccxt = desk.config()["exchange"]["ccxt_config"]
    return of_ccxt | {"enableRateLimit": True, "rateLimit": 1}


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
        desk.start(exchange={"demo_trading": is_demo, "ccxt_config": limited(desk)})
        desk.loop()
    assert len(advice(caplog)) == lines


@pytest.mark.parametrize("of", ["ccxt_config", "ccxt_sync_config", "ccxt_async_config"])
def test_a_bot_without_request_limits_does_not_start(open_desk, elsewhere, of):
    desk = open_desk()
    settings = {"ccxt_config": limited(desk)}
    settings[of] = settings.get(of, {}) | {"enableRateLimit": False}
    with pytest.raises(ConfigurationError, match=r"enableRateLimit is false.*Leave it out\.$"):
        desk.start(exchange=settings)


def test_a_sandbox_needs_no_advice(open_desk, caplog):
    with caplog.at_level(logging.INFO):
        open_desk().start()
    assert not advice(caplog)
