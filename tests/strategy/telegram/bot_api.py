"""A Bot API server on loopback: what Telegram's own does for one bot, from its public reference.

https://core.telegram.org/bots/api . Like Telegram it refuses texts whose Markdown it cannot parse
and texts of more than 4096 characters, and it hands updates out by long polling.
"""

import asyncio
import json
import threading
import time
from collections.abc import Callable
from typing import Any

from aiohttp import web

TOKEN = "1234567:local-bot-api-token"
CHAT_ID = 4711
MAX_TEXT = 4096


class BotApi:
    """One bot, one chat, and everyone else who writes to the bot."""

    def __init__(self) -> None:
        self.sent: list[dict[str, Any]] = []
        self.refused: list[dict[str, Any]] = []
        self.photos: list[dict[str, Any]] = []
        self.takes_photos = asyncio.Event()
        self.takes_photos.set()
        self.url = ""
        self._updates: list[dict[str, Any]] = []
        self._next_update = 1
        self._news = threading.Condition()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._wake: asyncio.Event | None = None
        self._stop: asyncio.Event | None = None
        self._ready = threading.Event()
        self._thread = threading.Thread(target=lambda: asyncio.run(self._serve()), daemon=True)

    def __enter__(self) -> "BotApi":
        self._thread.start()
        self._ready.wait()
        return self

    def __exit__(self, *_: object) -> None:
        assert self._loop is not None
        assert self._stop is not None
        self._loop.call_soon_threadsafe(self._stop.set)
        self._thread.join()

    @property
    def base_url(self) -> str:
        """What python-telegram-bot calls `base_url`."""
        return f"{self.url}/bot"

    def texts(self) -> list[str]:
        """Texts of all messages that the bot has sent or edited, oldest first."""
        with self._news:
            return [message["text"] for message in self.sent]

    def write(self, text: str, chat_id: int = CHAT_ID) -> None:
        """Write to the bot from a chat."""
        entities = []
        if text.startswith("/"):
            length = len(text.split()[0])
            entities = [{"type": "bot_command", "offset": 0, "length": length}]
        self._push({"message": {**_message(chat_id, text), "entities": entities}})

    def press(self, data: str, chat_id: int = CHAT_ID) -> None:
        """Press a button of the bot's last message."""
        query = {
            "id": "1",
            "from": _person(chat_id),
            "chat_instance": "1",
            "data": data,
            "message": _message(chat_id, "with buttons"),
        }
        self._push({"callback_query": query})

    def wait_for(self, *parts: str, after: int = 0, timeout: float = 20.0) -> str:
        """The first message from number `after` on that contains all `parts`.

        :raises AssertionError: with all texts, when none comes in time.
        """
        deadline = time.monotonic() + timeout
        with self._news:
            while True:
                for message in self.sent[after:]:
                    if all(part in message["text"] for part in parts):
                        return message["text"]
                if not self._news.wait(max(0.0, deadline - time.monotonic())):
                    texts = [m["text"] for m in self.sent[after:]]
                    raise AssertionError(
                        f"no message with {parts}; refused {self.refused}, {texts}"
                    )

    def wait_for_photo(self, timeout: float = 30.0) -> dict[str, Any]:
        """The first photo: its caption, `chat_id` and bytes."""
        with self._news:
            assert self._news.wait_for(lambda: self.photos, timeout), "no photo"
            return self.photos[0]

    def hold_photos(self) -> None:
        """Answer no photo from now on, until `take_photos`."""
        self._call(self.takes_photos.clear)

    def take_photos(self) -> None:
        """Answer those that wait, and all others."""
        self._call(self.takes_photos.set)

    def _call(self, change: Callable[[], None]) -> None:
        assert self._loop is not None
        self._loop.call_soon_threadsafe(change)

    def _push(self, update: dict[str, Any]) -> None:
        assert self._loop is not None
        assert self._wake is not None
        self._updates.append({"update_id": self._next_update, **update})
        self._next_update += 1
        self._loop.call_soon_threadsafe(self._wake.set)

    async def _serve(self) -> None:
        self._loop, self._wake = asyncio.get_running_loop(), asyncio.Event()
        self._stop = asyncio.Event()
        application = web.Application()
        application.router.add_route("*", "/bot{token}/{method}", self._answer)
        runner = web.AppRunner(application, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", 0, shutdown_timeout=0.1).start()
        self.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
        self._ready.set()
        await self._stop.wait()
        await runner.cleanup()

    async def _answer(self, request: web.Request) -> web.Response:
        if request.match_info["token"] != TOKEN:
            return _error(401, "Unauthorized")
        parameters = {**request.query, **await request.post()}
        handler = getattr(self, f"_do_{request.match_info['method'].lower()}", None)
        if handler is None:
            return _result(True)
        return await handler(parameters)

    async def _do_getme(self, parameters: dict[str, Any]) -> web.Response:
        return _result(
            {"id": 1234567, "is_bot": True, "first_name": "Bubby", "username": "local_bubby_bot"}
        )

    async def _do_getchat(self, parameters: dict[str, Any]) -> web.Response:
        if str(parameters.get("chat_id")) != str(CHAT_ID):
            return _error(400, "Bad Request: chat not found")
        return _result({"id": CHAT_ID, "type": "private", "first_name": "Owner"})

    async def _do_getupdates(self, parameters: dict[str, Any]) -> web.Response:
        assert self._wake is not None
        offset = int(parameters.get("offset", 0))
        # A negative offset asks for the last ones and forgets those before.
        if offset < 0:
            self._updates = self._updates[offset:]
        else:
            self._updates = [u for u in self._updates if u["update_id"] >= offset]
        if not self._updates:
            self._wake.clear()
            try:
                # Far shorter than a client's own timeout: a bot that ends waits for this answer.
                await asyncio.wait_for(self._wake.wait(), 0.2)
            except TimeoutError:
                return _result([])
        return _result([u for u in self._updates if u["update_id"] >= offset])

    async def _do_sendmessage(self, parameters: dict[str, Any]) -> web.Response:
        message = {name: str(value) for name, value in parameters.items()}
        trouble = _trouble(message)
        with self._news:
            (self.refused if trouble else self.sent).append(message)
            self._news.notify_all()
        if trouble:
            return _error(400, f"Bad Request: {trouble}")
        return _result(_message(int(message["chat_id"]), message["text"]))

    async def _do_sendphoto(self, parameters: dict[str, Any]) -> web.Response:
        photo = parameters["photo"]
        got = dict(parameters) | {"photo": photo.file.read(), "name": photo.filename}
        await self.takes_photos.wait()
        if got["chat_id"] != str(CHAT_ID):
            return _error(400, "Bad Request: chat not found")
        with self._news:
            self.photos.append(got)
            self._news.notify_all()
        size = {"file_id": "1", "file_unique_id": "1", "width": 960, "height": 720}
        return _result(_message(CHAT_ID, "") | {"photo": [size]})

    async def _do_editmessagetext(self, parameters: dict[str, Any]) -> web.Response:
        return await self._do_sendmessage(parameters)


def _trouble(message: dict[str, str]) -> str:
    if message["chat_id"] != str(CHAT_ID):
        return "chat not found"
    if not 0 < len(message["text"]) <= MAX_TEXT:
        return "message is too long"
    if message.get("parse_mode", "").lower() == "markdown":
        return _markdown_trouble(message["text"])
    return ""


def _markdown_trouble(text: str) -> str:
    """Telegram's verdict on its legacy Markdown: each entity that begins has to end."""
    position = 0
    while position < len(text):
        sign = text[position]
        if sign == "\\" and text[position + 1 : position + 2] in ("_", "*", "`", "["):
            position += 2
            continue
        if sign not in "_*`[":
            position += 1
            continue
        end = "```" if text.startswith("```", position) else {"[": "]"}.get(sign, sign)
        found = text.find(end, position + len(end if sign != "[" else "["))
        if found < 0:
            if sign == "[":
                position += 1
                continue
            return f"can't parse entities: can't find end of the entity at byte offset {position}"
        position = found + len(end)
    return ""


def _message(chat_id: int, text: str) -> dict[str, Any]:
    return {
        "message_id": 1,
        "date": int(time.time()),
        "chat": {"id": chat_id, "type": "private", "first_name": "Someone"},
        "from": _person(chat_id),
        "text": text,
    }


def _person(chat_id: int) -> dict[str, Any]:
    return {"id": chat_id, "is_bot": False, "first_name": "Someone"}


def _result(result: Any) -> web.Response:
    return web.json_response({"ok": True, "result": result})


def _error(code: int, description: str) -> web.Response:
    body = {"ok": False, "error_code": code, "description": description}
    return web.Response(status=code, text=json.dumps(body), content_type="application/json")
