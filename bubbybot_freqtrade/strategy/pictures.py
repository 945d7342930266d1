"""Pictures of plans for the channels that take them, with freqtrade's own settings of each.

freqtrade sends a strategy's words and no pictures. So the words go their usual way, first and
alone, and the picture follows in a thread of its own: one that fails is a line in the log.
"""

from __future__ import annotations

import asyncio
import base64
import json
import logging
from collections.abc import Callable
from threading import BoundedSemaphore, Lock, Thread
from typing import TYPE_CHECKING, Any

import pandas as pd
import requests
from requests.adapters import HTTPAdapter
from urllib3 import Retry

from bubbybot_freqtrade.risk.plan import TradePlan
from bubbybot_freqtrade.settings import Channel
from bubbybot_freqtrade.strategy.market import analyzed
from bubbybot_freqtrade.strategy.run_modes import is_running

if TYPE_CHECKING:
    from telegram import Bot

    from bubbybot_freqtrade.strategy.bubbybot import BubbyBotStrategy

logger = logging.getLogger(__name__)

TIMEOUT = 20
AGAIN = Retry(
    total=2, backoff_factor=1, status_forcelist=(429, 502, 503, 504), allowed_methods=None
)
FILE = "plan.png"

_waiting = BoundedSemaphore(20)
# matplotlib is not thread-safe: https://matplotlib.org/stable/users/faq.html
_drawing = Lock()


def show(bot: BubbyBotStrategy, plan: TradePlan, rate: float, caption: str) -> None:
    """Draw a plan and send it after its words, without waiting for either.

    :param rate: where the trade was entered, or would be
    """
    channels = _wanted(bot)
    frame = analyzed(bot, plan.pair)
    if not channels or frame.empty or not is_running(bot.config):
        return
    if not _waiting.acquire(blocking=False):
        logger.warning("%s: no picture, 20 others are still on their way.", plan.pair)
        return
    # freqtrade puts a new frame in place of this one, and changes none.
    arguments = (channels, frame, plan, rate, caption)
    try:
        Thread(target=_deliver, args=arguments, daemon=True, name="picture").start()
    except RuntimeError as error:
        # The system has no thread to give: the trade goes on without its picture.
        _waiting.release()
        logger.warning("%s: no picture, %s.", plan.pair, error)


def _wanted(bot: BubbyBotStrategy) -> dict[Channel, dict[str, Any]]:
    """freqtrade's settings of the channels that get a strategy's messages and pictures."""
    wanted = {}
    for channel in bot.settings.messages.pictures:
        own = bot.config.get(channel, {})
        # As freqtrade asks before it sends a strategy's message (rpc_manager, telegram, webhook).
        if channel == "telegram":
            takes = own.get("notification_settings", {}).get("strategy_msg", "on") != "off"
        else:
            takes = bool(own.get("strategy_msg"))
        if own.get("enabled") and own.get("allow_custom_messages") and takes:
            wanted[channel] = own
    return wanted


def _deliver(
    channels: dict[Channel, dict[str, Any]],
    frame: pd.DataFrame,
    plan: TradePlan,
    rate: float,
    caption: str,
) -> None:
    try:
        with _drawing:
            from bubbybot_freqtrade.strategy.plan_picture import draw

            picture = draw(frame, plan, rate, caption)
        for channel, own in channels.items():
            _send(channel, own, picture, caption)
    except Exception:
        # The plan has been told in words; what fails here must end with this thread.
        logger.exception("%s: the plan's picture could not be drawn.", plan.pair)
    finally:
        _waiting.release()


def _send(channel: Channel, own: dict[str, Any], picture: bytes, caption: str) -> None:
    from telegram.error import TelegramError

    try:
        SENDERS[channel](own, picture, caption)
    except (requests.RequestException, TelegramError) as error:
        # Their texts hold addresses, and so the token or the webhook's secret.
        response = getattr(error, "response", None)
        status = "" if response is None else f" {response.status_code}"
        name = type(error).__name__
        logger.warning("No picture to %s: %s%s. Its words went before.", channel, name, status)


def telegram_bot(token: str) -> Bot:
    """Telegram's bot by its token."""
    # freqtrade itself imports it only where Telegram is used.
    from telegram import Bot

    return Bot(token)


def _to_telegram(own: dict[str, Any], picture: bytes, caption: str) -> None:
    loudness = own.get("notification_settings", {}).get("strategy_msg", "on")

    async def send() -> None:
        async with telegram_bot(own["token"]) as bot:
            await bot.send_photo(
                own["chat_id"],
                picture,
                caption=caption,
                filename=FILE,
                disable_notification=loudness == "silent",
                message_thread_id=own.get("topic_id"),
            )

    asyncio.run(send())


def _to_discord(own: dict[str, Any], picture: bytes, caption: str) -> None:
    # https://discord.com/developers/docs/reference#uploading-files
    embed = {"title": caption, "image": {"url": f"attachment://{FILE}"}}
    _post(
        own["webhook_url"],
        data={"payload_json": json.dumps({"embeds": [embed]})},
        files={"files[0]": (FILE, picture, "image/png")},
    )


def _to_webhook(own: dict[str, Any], picture: bytes, caption: str) -> None:
    """In the format that the webhook has its words in; raw text has no place for a picture."""
    match own.get("format", "form"):
        case "json":
            url = "data:image/png;base64," + base64.b64encode(picture).decode()
            _post(own["url"], json={"text": caption, "picture": url})
        case "form":
            files = {"picture": (FILE, picture, "image/png")}
            _post(own["url"], data={"text": caption}, files=files)


def _post(url: str, **body: Any) -> None:
    with requests.Session() as session:
        for scheme in ("http://", "https://"):
            session.mount(scheme, HTTPAdapter(max_retries=AGAIN))
        session.post(url, timeout=TIMEOUT, **body).raise_for_status()


SENDERS: dict[Channel, Callable[[dict[str, Any], bytes, str], None]] = {
    "telegram": _to_telegram,
    "discord": _to_discord,
    "webhook": _to_webhook,
}
