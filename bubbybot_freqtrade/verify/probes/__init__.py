"""The questions, a module a group, in the order they are asked."""

from bubbybot_freqtrade.verify.probe import Probe
from bubbybot_freqtrade.verify.probes import (
    account,
    attached,
    candles,
    closing,
    delays,
    funding,
    history,
    limits,
    orders,
    pushes,
    refusals,
    stops,
    tiers,
)

# Funding first: its settlement may be near.
_MODULES = (
    funding, account, tiers, refusals, attached, stops,
    closing, delays, pushes, orders, candles, history, limits,
)  # fmt: skip

PROBES: dict[str, Probe] = {probe.name: probe for module in _MODULES for probe in module.PROBES}
"""Every probe by its name."""

GROUPS: tuple[str, ...] = tuple(dict.fromkeys(probe.group for probe in PROBES.values()))

NOT_SEEN_BY_A_PROGRAM = {
    "trading_requests": "What counts against the limit of 30 trading requests shows only to who "
    "runs into it; headers that tell are looked for by limit-headers.",
}
"""Questions of the sandbox that no probe answers, and why."""
