"""What the private channels say of an account: one event after another, in the settings' order.

A fill changes an order, its TP/SL, a position and the account: what belongs to one moment is kept
until it is over, and then told channel by channel.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Mapping
from random import Random
from typing import Any

from bubbybot_freqtrade.sandbox.api import account_views
from bubbybot_freqtrade.sandbox.api.connection import Connection
from bubbybot_freqtrade.sandbox.api.public_channels import Subscription, argument_of
from bubbybot_freqtrade.sandbox.readings import ANY_ORDER, PRIVATE_CHANNELS
from bubbybot_freqtrade.sandbox.venue.accounts import Account, Position
from bubbybot_freqtrade.sandbox.venue.core import Topic
from bubbybot_freqtrade.sandbox.venue.engine import Engine
from bubbybot_freqtrade.sandbox.venue.orders import AlgoOrder, Order, TpslOrder

Subject = Order | TpslOrder | AlgoOrder | Position | None
Message = dict[str, Any]
Push = tuple[list[Connection], Message]


class PrivateChannels:
    """Listens to an engine, whose lock guards its state.

    :param subscribers: who listens to what
    :param push: sends a message to connections, now
    """

    def __init__(
        self,
        engine: Engine,
        subscribers: Mapping[Subscription, set[Connection]],
        push: Callable[[Iterable[Connection], Message], None],
    ) -> None:
        """Tells what happens from now on."""
        self.engine = engine
        self._subscribers = subscribers
        self._push = push
        self._random = Random(engine.settings.seed)  # noqa: S311 - an order of messages
        # Of the moment that is not over yet, as it happened.
        self._event: list[Push] = []
        self._event_ms = 0
        # Until when (ms) they are kept back, and what is told then.
        self._late: deque[tuple[int, list[Push]]] = deque()
        engine.venue.listeners.append(self._account_changed)
        engine.on_release = self.end_event

    # What is said

    def greet(self, connection: Connection, subscription: Subscription) -> None:
        """Positions and account begin with what is; orders with their next change."""
        message = self._present(connection, subscription)
        if message is not None:
            self._push([connection], message)

    def refresh(self) -> None:
        """Prices have moved, and with them the value of open positions."""
        self.end_event()
        if self.engine.settings.position_pushes == "with_change":
            return
        for subscription, connections in self._subscribers.items():
            if subscription[0] not in PRIVATE_CHANNELS:
                continue
            for connection in connections:
                key = connection.key
                if key is None or not self.engine.account(key.uid).positions:
                    continue
                message = self._present(connection, subscription)
                if message is not None:
                    self._tell([connection], message)
        self.end_event()

    def _present(self, connection: Connection, subscription: Subscription) -> Message | None:
        """What a channel shows now; None for orders, which are pushed when they change."""
        channel, inst_id = subscription
        assert connection.key is not None  # noqa: S101 - it was logged in to subscribe
        account = self.engine.account(connection.key.uid)
        clearing = self.engine.clearing
        if channel == "account":
            data: Any = account_views.balance_push(clearing, account)
        elif channel == "positions":
            data = [
                account_views.position_push(clearing, account, position)
                for position in account.positions.values()
                if inst_id in ("", position.inst_id)
            ]
        else:
            return None
        return {"arg": argument_of(subscription), "data": data}

    def _account_changed(self, topic: Topic, account: Account, subject: Subject) -> None:
        inst_id = subject.inst_id if subject is not None else ""
        data: Any = None
        for subscription in {(topic, ""), (topic, inst_id)}:
            connections = [
                connection
                for connection in self._subscribers.get(subscription, ())
                if connection.key is not None and connection.key.uid == account.uid
            ]
            if not connections:
                continue
            if data is None:
                data = self._data(account, subject)
            message = {"arg": argument_of(subscription), "data": data}
            if topic in ("orders", "orders-algo"):
                message = {"action": "update", **message}
            self._tell(connections, message)

    def _data(self, account: Account, subject: Subject) -> Any:
        if subject is None:
            return account_views.balance_push(self.engine.clearing, account)
        if isinstance(subject, Position):
            return [account_views.position_push(self.engine.clearing, account, subject)]
        return [subject.as_push()]

    # When it is said

    def _tell(self, connections: list[Connection], message: Message) -> None:
        """Say it when the moment that it belongs to is over."""
        if self._event and self._event_ms != self.engine.now_ms:
            self.end_event()
        self._event_ms = self.engine.now_ms
        self._event.append((connections, message))

    def end_event(self) -> None:
        """The moment is over: what it has changed is told, and what was late until now."""
        if self._event:
            turns = {channel: turn for turn, channel in enumerate(self._channels())}
            event = sorted(self._event, key=lambda push: turns[push[1]["arg"]["channel"]])
            self._event = []
            self._late.append((self._event_ms + self.engine.settings.push_delay_ms, event))
        while self._late and self._late[0][0] <= self.engine.now_ms:
            for connections, message in self._late.popleft()[1]:
                self._push(connections, message)

    def _channels(self) -> list[str]:
        """In the order of one event."""
        order = self.engine.settings.push_order
        if order == ANY_ORDER:
            return self._random.sample(PRIVATE_CHANNELS, len(PRIVATE_CHANNELS))
        return order.split(",")
