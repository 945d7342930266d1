"""Telegram: does the token work, and can the bot write to the chat?"""

from collections.abc import Iterator
from typing import Any

import requests

from bubbybot_freqtrade.commands.doctor.findings import Finding, note, ok, problem
from bubbybot_freqtrade.commands.user_config import Config

TELEGRAM_API = "https://api.telegram.org"
TIMEOUT_S = 10


def telegram(config: Config, api: str = TELEGRAM_API) -> Iterator[Finding]:
    """Does the token work, and can the bot write to the chat?"""
    settings = config.get("telegram", {})
    if not settings.get("enabled"):
        yield note("telegram", "Off.", "It is the way to be told and to act from a phone.")
        return
    token, chat_id = str(settings.get("token", "")), str(settings.get("chat_id", ""))
    empty = [name for name, value in (("TOKEN", token), ("CHAT_ID", chat_id)) if not value]
    if empty:
        names = ", ".join(f"FREQTRADE__TELEGRAM__{name}" for name in empty)
        yield problem(
            "telegram",
            f"It is on, and empty: {names}.",
            "Fill them in (the token is @BotFather's), or set FREQTRADE__TELEGRAM__ENABLED=false.",
        )
        return
    try:
        me = _ask_telegram(api, token, "getMe")
        chat = _ask_telegram(api, token, "getChat", chat_id=chat_id)
    except requests.RequestException as error:
        # The error's text has the address in it, and the address the token.
        yield problem(
            "telegram",
            f"{api} does not answer ({type(error).__name__}).",
            "Check this machine's network and proxy.",
        )
        return
    if not me.get("ok"):
        yield problem(
            "telegram",
            f"The token is refused ({me.get('description', 'no reason given')}).",
            "Copy it again from @BotFather into FREQTRADE__TELEGRAM__TOKEN.",
        )
    elif not chat.get("ok"):
        reason = chat.get("description", "no reason given")
        yield problem(
            "telegram",
            f"Chat {chat_id or '(none)'} is refused ({reason}).",
            "Write /start to your bot and set FREQTRADE__TELEGRAM__CHAT_ID to your chat's id.",
        )
    else:
        yield ok("telegram", f"@{me['result'].get('username')} writes to chat {chat_id}.")


def _ask_telegram(api: str, token: str, method: str, **parameters: str) -> dict[str, Any]:
    answer = requests.get(f"{api}/bot{token}/{method}", params=parameters, timeout=TIMEOUT_S)
    try:
        content = answer.json()
    except ValueError:
        return {"ok": False, "description": f"HTTP {answer.status_code}"}
    return content if isinstance(content, dict) else {"ok": False}
