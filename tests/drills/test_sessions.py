"""An hour of strategies that know nothing of BloFin; `bubbybot drill --only sessions` plays six."""

import pytest

# Every strategy, both position modes and both margin modes among them.
SESSIONS = (
    "Sample, net_mode, cross",
    "Adjusting, net_mode, isolated",
    "Adjusting, long_short_mode, cross",
    "Trailing, long_short_mode, isolated",
)


@pytest.mark.parametrize("session", SESSIONS)
def test_an_hour_of_a_strategy_leaves_equal_books(run_drill, session):
    figures = run_drill("sessions", words=(session,), minutes=4 * 60)
    assert figures.broken == []
    # Every hour and at the end.
    assert figures.inputs == 2
