"""config.signals.json: nothing is traded, and each channel of freqtrade's gets the whole signal."""

import base64
import io
import json
import struct
import threading
from email import message_from_bytes
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import numpy as np
import pytest
from freqtrade.persistence import Trade
from freqtrade.rpc import RPC
from freqtrade.rpc.rpc import RPCException
from matplotlib.image import imread

from tests.places import ROOT
from tests.strategy.telegram.bot_api import CHAT_ID
from tests.strategy.telegram.conftest import BTC

SIGNALS = json.loads((ROOT / "config.signals.json").read_text())
# Both need a plan's picture within the time that a channel takes for words.
SOON = 30


class Receiver(ThreadingHTTPServer):
    """Keeps what is posted to each path: JSON as it is, a form's parts by their names."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.got: dict[str, list] = {}
        self.news = threading.Condition()
        self.status = 204
        self.url = f"http://127.0.0.1:{self.server_port}"

    def wait_for(self, path: str, is_it) -> dict:
        with self.news:
            found = self.news.wait_for(lambda: [one for one in self.got[path] if is_it(one)], SOON)
            assert found, self.got
            return found[0]


class _Handler(BaseHTTPRequestHandler):
    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.headers["Content-Type"]
        with self.server.news:
            got = self.server.got.setdefault(self.path, [])
            got.append(json.loads(body) if kind == "application/json" else _parts(kind, body))
            self.server.news.notify_all()
        self.send_response_only(self.server.status)
        self.end_headers()

    def log_message(self, *_):
        pass


def _parts(kind: str, body: bytes) -> dict[str, bytes]:
    form = message_from_bytes(b"Content-Type: " + kind.encode() + b"\r\n\r\n" + body)
    return {
        part.get_param("name", header="Content-Disposition"): part.get_payload(decode=True)
        for part in form.get_payload()
    }


@pytest.fixture
def receiver():
    """A server on loopback."""
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


def channels(url: str) -> dict:
    return {
        "webhook": SIGNALS["webhook"] | {"enabled": True, "url": f"{url}/webhook"},
        "discord": SIGNALS["discord"] | {"enabled": True, "webhook_url": f"{url}/discord"},
    }


def signal(desk) -> None:
    """As an owner asks for one by hand; freqtrade says that nothing was entered."""
    with pytest.raises(RPCException):
        RPC(desk.bot)._rpc_force_entry(BTC, None, order_side="long")
    desk.loop()


def assert_is_a_chart(png: bytes) -> None:
    """A PNG of a phone's size, with colours of candles and plan on the dark ground."""
    assert png.startswith(b"\x89PNG\r\n")
    width, height = struct.unpack(">II", png[16:24])
    assert 600 <= width <= 1280
    assert 400 <= height <= 1280
    pixels = (imread(io.BytesIO(png), "png")[..., :3] * 255).round().astype(int).reshape(-1, 3)
    for color in ((0x26, 0xA6, 0x9A), (0xEF, 0x53, 0x50), (0x42, 0xA5, 0xF5)):
        assert (np.abs(pixels - color).max(axis=1) <= 30).sum() > 50, color


def test_a_signal_goes_to_every_channel_once_with_its_picture_and_is_not_traded(
    open_desk, receiver
):
    desk = open_desk()
    desk.start(dry_run=True, bubbybot=SIGNALS["bubbybot"], **channels(receiver.url))
    for _ in range(2):
        signal(desk)
    assert Trade.get_trades().all() == []
    assert desk.sandbox.requests.select(method="POST") == []
    told = desk.phone.wait_for("Signal:", timeout=SOON)
    text = receiver.wait_for("/webhook", lambda body: "Signal:" in body["text"])["text"]
    posted = receiver.wait_for("/discord", lambda body: "Signal:" in str(body.get("embeds")))
    for message in (told, text, posted["embeds"][0]["fields"][0]["value"]):
        lines = message.splitlines()
        assert lines[0].startswith(f"Signal: {BTC} long at about ")
        assert [line.split()[0] for line in lines[1:5]] == ["Stop", "Target", "Risk", "Why:"]
    photo = desk.phone.wait_for_photo()
    assert photo["chat_id"] == str(CHAT_ID)
    form = receiver.wait_for("/discord", lambda body: "files[0]" in body)
    (embed,) = json.loads(form["payload_json"])["embeds"]
    assert embed["image"]["url"] == "attachment://plan.png"
    shown = receiver.wait_for("/webhook", lambda body: "picture" in body)
    kind, _, data = shown["picture"].partition(",")
    assert kind == "data:image/png;base64"
    for caption in (photo["caption"], embed["title"], shown["text"]):
        assert caption.startswith(f"Signal {BTC} long, 20")
    assert photo["photo"] == form["files[0]"] == base64.b64decode(data)
    assert_is_a_chart(photo["photo"])
    # Once each, as the words.
    assert len(desk.phone.photos) == 1
    assert sum("picture" in body for body in receiver.got["/webhook"]) == 1


def test_an_entrys_picture_comes_after_its_plan_and_nobody_waits_for_it(open_desk):
    desk = open_desk()
    desk.start()
    desk.phone.hold_photos()
    trade = desk.enter()
    # The channel has not taken the picture yet; the plan was told and its stop stands.
    desk.phone.wait_for(f"Plan of {BTC} long, entered at")
    assert desk.phone.photos == []
    assert len(desk.standing_stops()) == 1
    desk.phone.take_photos()
    photo = desk.phone.wait_for_photo()
    assert photo["caption"].startswith(f"#{trade.id} {BTC} long, 20")
    assert_is_a_chart(photo["photo"])


def test_a_picture_that_fails_is_a_line_in_the_log_without_any_secret(
    open_desk, receiver, monkeypatch, caplog
):
    desk = open_desk()
    receiver.status = 403
    settings = channels(f"{receiver.url}/a-secret")
    desk.start(
        bubbybot={"messages": {"pictures": ["discord", "telegram"]}}, discord=settings["discord"]
    )
    desk.enter()
    desk.phone.wait_for(f"Plan of {BTC} long, entered at")
    # After the channel that failed comes the next.
    desk.phone.wait_for_photo()
    (line,) = [record.getMessage() for record in caplog.records if "No picture" in record.message]
    assert line == "No picture to discord: HTTPError 403. Its words went before."


@pytest.mark.parametrize(
    "silence",
    [
        {"bubbybot": {"messages": {"pictures": []}}},
        {"telegram": {"notification_settings": {"strategy_msg": "off"}}},
        {"telegram": {"allow_custom_messages": False}},
        {"telegram": {"enabled": False}},
    ],
)
def test_a_channel_that_takes_no_words_of_the_strategy_gets_no_picture(silence):
    from types import SimpleNamespace

    from bubbybot_freqtrade.settings import BubbyBotSettings
    from bubbybot_freqtrade.strategy.pictures import _wanted

    on = {"enabled": True, "allow_custom_messages": True, "token": "t", "chat_id": "1"}
    config = {"telegram": on | silence.get("telegram", {}), "bubbybot": silence.get("bubbybot", {})}
    bot = SimpleNamespace(config=config, settings=BubbyBotSettings.from_config(config))
    assert _wanted(bot) == {}
    bot.config = {"telegram": on}
    bot.settings = BubbyBotSettings.from_config({})
    assert list(_wanted(bot)) == ["telegram"]
