"""What no public source settles about the venue: each question, and the readings it can have.

A question is a field of `SandboxSettings`; its default is how the sandbox behaves when nothing is
said. Drills run over every reading, one at a time and in pairs, and what a demo account was seen
doing is a value of such a field too. Facts that a source does settle are no settings.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from random import Random
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

PRIVATE_CHANNELS = ("orders", "orders-algo", "positions", "account")
ANY_ORDER = "any"


def _is_push_order(text: str) -> str:
    if text != ANY_ORDER and sorted(text.split(",")) != sorted(PRIVATE_CHANNELS):
        raise ValueError(
            f"write {','.join(PRIVATE_CHANNELS)} in the order they are pushed, or {ANY_ORDER}"
        )
    return text


@dataclass(frozen=True, slots=True)
class _Asks:
    """A question as it stands beside its field: a sentence for people, the source in brackets."""

    sentence: str
    readings: tuple[Any, ...]


@dataclass(frozen=True, slots=True)
class Question:
    """An open question. `name` is a field of the settings, `default` one of its `readings`.

    A field may take more values than its readings where it is a measure: a delay, a share.
    """

    name: str
    sentence: str
    readings: tuple[Any, ...]
    default: Any

    @property
    def others(self) -> tuple[Any, ...]:
        """The readings that the sandbox does not have by itself."""
        return tuple(reading for reading in self.readings if reading != self.default)


class Readings(BaseModel):
    """One reading of every open question; the sandbox's settings have these fields too."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    amend_tpsl: Annotated[
        bool,
        _Asks(
            "Whether trade/amend-tpsl is routed; unknown paths are answered with 152404 "
            "(ccxt lists the path, the reference does not).",
            (True, False),
        ),
    ] = True
    amend_unnamed_leg: Annotated[
        Literal["keep", "remove"],
        _Asks(
            "What becomes of a stop or target that trade/amend-tpsl does not name "
            "(no source says).",
            ("keep", "remove"),
        ),
    ] = "keep"
    attached_tpsl: Annotated[
        Literal["each_fill", "complete_fill"],
        _Asks(
            "Whether an attached TP/SL stands from the first fill and grows with the entry, or "
            "only once the entry has filled completely (demo clients show the filled size).",
            ("each_fill", "complete_fill"),
        ),
    ] = "each_fill"
    attached_after_addition: Annotated[
        Literal["keep", "grow"],
        _Asks(
            "Whether an attached TP/SL keeps its size when its position is added to, or grows to "
            "the whole of it (no source says).",
            ("keep", "grow"),
        ),
    ] = "keep"
    passed_trigger: Annotated[
        Literal["cancel", "refuse"],
        _Asks(
            "Whether a TP/SL whose trigger is already passed is accepted and canceled at once, or "
            "refused with 102037..102040 (public clients have seen the first, the reference lists "
            "the codes).",
            ("cancel", "refuse"),
        ),
    ] = "cancel"
    lone_tpsl: Annotated[
        Literal["accept", "refuse"],
        _Asks(
            "Whether order-tpsl takes an order that has no position to close, or refuses it with "
            "102022 (accepted on a demo account, no word of the live venue).",
            ("accept", "refuse"),
        ),
    ] = "accept"
    index_trigger: Annotated[
        bool,
        _Asks(
            "Whether a TP/SL takes the index price as its trigger, or refuses it with 152002 (the "
            "reference names last, index and mark; only mark was seen on a demo account).",
            (True, False),
        ),
    ] = True
    trailing_stop: Annotated[
        bool,
        _Asks(
            "Whether trade/order-algo takes orderType trailing_stop, or refuses it with 152002 "
            "(announced in the changelog of 2026-08-27, seen by nobody).",
            (True, False),
        ),
    ] = True
    other_margin_mode: Annotated[
        Literal["152002", "102022"],
        _Asks(
            "The code that refuses an order or TP/SL in another margin mode than the position's "
            "in net mode (seen to be refused on demo, no source names the code).",
            ("152002", "102022"),
        ),
    ] = "152002"
    leftover_exits: Annotated[
        Literal["cancel", "keep"],
        _Asks(
            "Whether reduce-only limits that are left when their position goes are canceled, or "
            "keep resting (no source says).",
            ("cancel", "keep"),
        ),
    ] = "cancel"
    stop_fill_share: Annotated[
        Decimal,
        Field(gt=0, le=1),
        _Asks(
            "How much of a TP/SL's market order finds a taker; the rest is canceled "
            "(no source says how deep a thin book is).",
            (Decimal(1), Decimal("0.4")),
        ),
    ] = Decimal(1)
    price_band: Annotated[
        Decimal,
        Field(gt=0, lt=1),
        _Asks(
            "How far above the index price one may buy and below it sell, as a share of it (the "
            "venue's support says that limits follow the index price, not how wide they are).",
            (Decimal("0.15"), Decimal("0.03")),
        ),
    ] = Decimal("0.15")
    order_failure: Annotated[
        Literal["1", "0"],
        _Asks(
            "The outer code of an answer in which every order was refused (the reference shows "
            "data[] with codes of its own and both outer codes).",
            ("1", "0"),
        ),
    ] = "1"
    order_delay_ms: Annotated[
        int,
        Field(ge=0),
        _Asks(
            "How long a new order is missing from detail, pending list and history, in ms "
            "(clients wait 0.5 to 1.5 s before they read back).",
            (0, 2000),
        ),
    ] = 0
    tpsl_delay_ms: Annotated[
        int,
        Field(ge=0),
        _Asks(
            "How long a new TP/SL is missing from detail, pending list and history, in ms "
            "(no source says).",
            (0, 2000),
        ),
    ] = 0
    position_delay_ms: Annotated[
        int,
        Field(ge=0),
        _Asks(
            "How far account/positions is behind the fills, in ms (no source says).",
            (0, 2000),
        ),
    ] = 0
    fill_delay_ms: Annotated[
        int,
        Field(ge=0),
        _Asks(
            "How long a fill is missing from fills-history, in ms (no source says).",
            (0, 2000),
        ),
    ] = 0
    list_delay_ms: Annotated[
        int,
        Field(ge=0),
        _Asks(
            "How long the pending lists and histories show orders and TP/SLs as they were, once "
            "they have filled, changed or ended, in ms (no source says).",
            (0, 2000),
        ),
    ] = 0
    tpsl_sizes: Annotated[
        Literal["plain", "padded"],
        _Asks(
            "Whether sizes in TP/SL rows are written -1 and 12.5 as in the reference's examples, "
            "or with 18 decimals as in order rows.",
            ("plain", "padded"),
        ),
    ] = "plain"
    tpsl_detail: Annotated[
        Literal["order-tpsl-detail", "orders-tpsl-detail", "none"],
        _Asks(
            "The path that shows one TP/SL: as the reference has it, as a public client asks for "
            "it, or neither.",
            ("order-tpsl-detail", "orders-tpsl-detail", "none"),
        ),
    ] = "order-tpsl-detail"
    unknown_detail: Annotated[
        Literal["null", "empty"],
        _Asks(
            "What order-detail and order-tpsl-detail answer for an order that does not exist: "
            "data null, or an empty list (no source says).",
            ("null", "empty"),
        ),
    ] = "null"
    transfer_check: Annotated[
        Literal["permission", "amount"],
        _Asks(
            "Whether asset/transfer looks at the key's permission before the amount "
            "(no source says).",
            ("permission", "amount"),
        ),
    ] = "permission"
    isolated_funding: Annotated[
        Literal["wallet", "margin"],
        _Asks(
            "Whether funding of an isolated position is taken from the wallet, or from the "
            "position's margin, which moves its liquidation (no source says).",
            ("wallet", "margin"),
        ),
    ] = "wallet"
    funding_days: Annotated[
        int,
        Field(ge=1),
        _Asks(
            "How many days back account/funding-fees goes (clients clamp their questions to seven; "
            "no source says what an older one would get).",
            (7, 30),
        ),
    ] = 7
    position_pushes: Annotated[
        Literal["with_price", "with_change"],
        _Asks(
            "Whether the websocket pushes positions and account as prices move their value, or "
            "only when something else of them changes (the reference names no interval).",
            ("with_price", "with_change"),
        ),
    ] = "with_price"
    push_order: Annotated[
        str,
        AfterValidator(_is_push_order),
        _Asks(
            "In which order the private channels tell what one event has changed, "
            "or any: another one each time (the reference says what is pushed, not in which "
            "order; an order is known to have filled before its position is reckoned).",
            (
                "orders,orders-algo,positions,account",
                "positions,account,orders,orders-algo",
                "account,positions,orders-algo,orders",
                ANY_ORDER,
            ),
        ),
    ] = "orders,orders-algo,positions,account"
    push_before_answer: Annotated[
        bool,
        _Asks(
            "Whether the websocket tells of what a request has changed before the request is "
            "answered (no source says; a push is one step more than an answer).",
            (False, True),
        ),
    ] = False
    push_delay_ms: Annotated[
        int,
        Field(ge=0),
        _Asks(
            "How long after its event a change is pushed, in ms: lists show it meanwhile "
            "(no source says).",
            (0, 2000),
        ),
    ] = 0
    trading_requests: Annotated[
        Literal["all", "posts"],
        _Asks(
            "What counts as one of 30 trading requests in 10 s: everything below trade/ and "
            "account/set-*, or only what changes something (the reference says "
            "'trading-related').",
            ("all", "posts"),
        ),
    ] = "all"
    tier_unit: Annotated[
        Literal["contracts", "quote"],
        _Asks(
            "The unit of sizes in position-tiers: contracts, as the venue's notice of 2024-06-28 "
            "says, or USDT, as one client takes it.",
            ("contracts", "quote"),
        ),
    ] = "contracts"


def _questions() -> Iterator[Question]:
    for name, field in Readings.model_fields.items():
        (asks,) = (item for item in field.metadata if isinstance(item, _Asks))
        yield Question(name, asks.sentence, asks.readings, field.default)


QUESTIONS: Mapping[str, Question] = {question.name: question for question in _questions()}
"""Every open question by the name of its setting."""


def one_at_a_time() -> Iterator[dict[str, Any]]:
    """Settings that give one question another reading than the sandbox's own, for all of them."""
    for question in QUESTIONS.values():
        for reading in question.others:
            yield {question.name: reading}


def random_pairs(seed: int, count: int) -> Iterator[dict[str, Any]]:
    """`count` settings in which two questions have another reading, drawn with `seed`."""
    random = Random(seed)  # noqa: S311 - drills, not secrets
    for _ in range(count):
        first, second = random.sample(list(QUESTIONS.values()), 2)
        yield {question.name: random.choice(question.others) for question in (first, second)}


def parse_reading(text: str) -> tuple[str, Any]:
    """`NAME=VALUE` as a setting and its value.

    :raises ValueError: naming the questions, or the readings of the one that is meant.
    """
    name, _, value = text.partition("=")
    question = QUESTIONS.get(name)
    if question is None:
        known = ", ".join(QUESTIONS)
        raise ValueError(f"{name!r} is no open question; write NAME=VALUE, NAME one of {known}")
    try:
        return name, getattr(Readings.model_validate_strings({name: value}), name)
    except ValidationError as error:
        readings = ", ".join(str(reading) for reading in question.readings)
        what = error.errors(include_url=False)[0]["msg"]
        raise ValueError(f"{name}={value}: {what}; readings are {readings}") from error


def in_words(readings: Mapping[str, Any]) -> str:
    """`NAME=VALUE, …`, as `parse_reading` takes them one by one."""
    return ", ".join(f"{name}={value}" for name, value in readings.items())
