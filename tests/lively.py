"""Settings with which a generated market of some days has signals: a short window, ample room."""

SHORT_WINDOW = {"window": 12, "ribbon_room": 10.0, "structure_room": 20.0, "value_room": 16.0}

NEAR = {"stop_atrs": 1.5, "structure_atrs": 2.0, "reward_risk": 2.0}
"""Risk settings whose stop and target are reached within hours."""
