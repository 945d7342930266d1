"""What the account watch tells: what happened, what the bot did, what the person should do."""

from bubbybot_freqtrade.blofin.account.reconciliation import Discrepancy, Finding

_SAYS = {
    Discrepancy.UNKNOWN_POSITION: (
        "a {side} position of {size:g} contracts that this bot's database doesn't know. "
        "{protected} The pair is not traded until it is gone. "
        "Close it in the app, or leave it if another program holds it."
    ),
    Discrepancy.BARE_POSITION: (
        "{bare} of the {side} position had no stop: it was canceled, has fired without closing "
        "all, or the position grew. One is placed in this loop; where the price has passed it, "
        "the trade goes out at the market. /forceexit ends a trade by hand."
    ),
    Discrepancy.POSITION_GREW: (
        "the {side} position has {size:g} contracts, the bot's trade {contracts:g} of them. The "
        "rest was added in the app or by another program; the bot's exits leave it alone, and it "
        "has a stop. Close that part yourself."
    ),
    Discrepancy.POSITION_SHRANK: (
        "the {side} position has {size:g} contracts, the bot's trade {contracts:g}, and BloFin "
        "doesn't tell which order closed the difference. The stop stays and nothing was booked. "
        "Look at the app's order history; /forceexit closes what is left."
    ),
    Discrepancy.MISSING_POSITION: (
        "the bot's {side} trade has no position on BloFin, and BloFin doesn't tell which order "
        "closed it. Nothing was done; it is asked again every minute. "
        "Look at the app's order history: if it is closed there, /delete the trade."
    ),
    Discrepancy.LEFTOVER_STOP: (
        "a stop of the bot was left over from a position that has closed. It has been canceled. "
        "Nothing has to be done."
    ),
    Discrepancy.SURPLUS_STOP: (
        "a second stop of the bot on the {side} position has been canceled; the tighter one "
        "stays. Nothing has to be done."
    ),
    Discrepancy.UNKNOWN_ORDER: (
        "an entry order of this bot that its database doesn't know has been canceled. "
        "Nothing has to be done."
    ),
    Discrepancy.LEFTOVER_EXIT: (
        "an exit order of this bot without a position was left over and has been canceled. "
        "Nothing has to be done."
    ),
    Discrepancy.LEFTOVER_ENTRY: (
        "the position was closed while the rest of its {side} entry still waited. The rest has "
        "been canceled, for it could have filled without a stop. Close trades with /forceexit."
    ),
    Discrepancy.EMPTY_TRADE: (
        "the bot's {side} trade had neither a fill nor an order that could still fill. It was "
        "taken out of the database. Nothing has to be done."
    ),
}


def told(finding: Finding) -> str:
    """What happened, what the bot did and what the person should do, in one line."""
    size = finding.size
    says = _SAYS[finding.kind].format(
        side=finding.side,
        size=size,
        contracts=finding.contracts,
        bare="All" if finding.is_all_bare else f"{finding.uncovered:g} of the {size:g} contracts",
        protected="It had no stop: one was placed." if finding.bare else "It has a stop.",
    )
    return f"{finding.pair}: {says}"


def gives_way(pair: str, side: str, prefix: str) -> str:
    """Why a trade is left that another bot came before."""
    return (
        f"{pair}: another bot on this account (its orders' ids begin with {prefix}) has entered "
        f"the same {side} position before this one. This bot gives way, its trade goes out at the "
        "market. Give each bot pairs of its own, or better an account of its own."
    )


def in_another_currency(pair: str, currency: str, stake_currency: str) -> str:
    """What is told of a position that this bot could neither trade nor book."""
    return (
        f"{pair}: a position that is settled in {currency}. This bot trades what is settled in "
        f"{stake_currency}: it leaves it alone and gives it no stop. See to its stop in the app."
    )


def not_mended(finding: Finding, reason: object) -> str:
    """What could not be mended yet, and why."""
    why = str(reason).rstrip(".")
    bare = (
        f" {finding.uncovered:g} of {finding.size:g} contracts have no stop until then: if it "
        "stays so, give them one in the app or close the position there."
        if finding.bare
        else ""
    )
    what = finding.kind.replace("_", " ")
    return f"{finding.pair}: {what}, not mended yet: {why}. It is tried again in every loop.{bare}"


def not_known(reason: object) -> str:
    """That the account couldn't be compared."""
    return (
        "The account's state is not known: no entry is sent until it is, the stops on BloFin stay. "
        f"It is asked again in the next loop. Message: {reason}"
    )


def others_not_known(pair: str, reason: object) -> str:
    """That a pair's ended orders couldn't be had."""
    return (
        f"Whether another bot's ended orders were on {pair} is not known, its open ones are looked "
        f"for in every loop. Message: {reason}"
    )
