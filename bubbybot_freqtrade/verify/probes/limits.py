"""What the venue says of its request limits, without running into them."""

from __future__ import annotations

from bubbybot_freqtrade.verify.desk import Desk
from bubbybot_freqtrade.verify.probe import Answer, Anything, probe

GROUP = "limits"


@probe(
    GROUP,
    "Do answers tell how many requests are left?",
    assumed="no",
    readings={"no": "no header speaks of limits"},
    copes=Anything(),
)
def limit_headers(desk: Desk) -> Answer:
    """Of a trading request and a public one."""
    replies = (
        desk.get("trade/orders-pending", instId=desk.instrument.inst_id),
        desk.public("market/tickers", instId=desk.instrument.inst_id),
    )
    told = {
        name: value
        for reply in replies
        for name, value in reply.headers.items()
        if "limit" in name or "remaining" in name or name == "retry-after"
    }
    figures = ", ".join(f"{name}: {value}" for name, value in told.items())
    return Answer(", ".join(sorted(told)) or "no", figures)


PROBES = (limit_headers,)
