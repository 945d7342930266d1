"""config.signals.json: nothing is traded, and each channel of freqtrade's gets the whole signal."""

import json
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC
from freqtrade.rpc.rpc import RPCException

from tests.places import ROOT
from tests.strategy.telegram.conftest import BTC

SIGNALS = json.loads((ROOT / "config.signals.json").read_text())


@pytest.fixture
def receiver():
    """A server on loopback that keeps what is posted to each path."""
    got: dict[str, list] = {"/webhook": [], "/discord": []}

    class Receiver(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got[self.path].append(json.loads(body))
            self.send_response_only(204)
            self.end_headers()

        def log_message(self, *_):
            pass

    with HTTPServer(("127.0.0.1", 0), Receiver) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}", got
        server.shutdown()
        thread.join()


def test_a_signal_goes_to_every_channel_once_and_is_not_traded(open_desk, receiver):
    url, got = receiver
    desk = open_desk()
    desk.start(
        dry_run=True,
        bubbybot=SIGNALS["bubbybot"],
        webhook=SIGNALS["webhook"] | {"enabled": True, "url": f"{url}/webhook"},
        discord=SIGNALS["discord"] | {"enabled": True, "webhook_url": f"{url}/discord"},
    )
    for _ in range(2):
        # As an owner asks for a signal by hand; freqtrade says that nothing was entered.
        with pytest.raises(RPCException):
            RPC(desk.bot)._rpc_force_entry(BTC, None, order_side="long")
        desk.loop()
    assert Trade.get_trades().all() == []
    assert desk.sandbox.requests.select(method="POST") == []
    told = desk.phone.wait_for("Signal:", timeout=30)
    (text,) = [body["text"] for body in got["/webhook"] if "Signal:" in body["text"]]
    fields = [body["embeds"][0]["fields"][0]["value"] for body in got["/discord"]]
    (field,) = [value for value in fields if "Signal:" in value]
    for message in (told, text, field):
        lines = message.splitlines()
        assert lines[0].startswith(f"Signal: {BTC} long at about ")
        assert [line.split()[0] for line in lines[1:5]] == ["Stop", "Target", "Risk", "Why:"]
