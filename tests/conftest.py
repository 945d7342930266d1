"""What all tests need."""

import signal

# Tests end bots with Ctrl-C. A shell that runs the tests in the background has them, and with them
# every bot, ignore it.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
