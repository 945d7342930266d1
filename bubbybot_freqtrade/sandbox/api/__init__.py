"""The venue as clients see it: REST, websockets, keys, limits, faults."""
