"""freqtrade's command line at another time of day: the first argument is how far from now, in s."""

import sys
import time
from datetime import UTC, datetime

import time_machine

offset = float(sys.argv.pop(1))
# Before freqtrade is imported, as a machine with such a clock would have it.
time_machine.travel(datetime.fromtimestamp(time.time() + offset, tz=UTC), tick=True).start()

from freqtrade.main import main  # noqa: E402

main()
