"""The venue itself: accounts, orders, matching, margin. Knows nothing of HTTP."""
