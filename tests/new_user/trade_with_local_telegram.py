"""`freqtrade trade` with a Bot API server on loopback, whose address is the first argument.

freqtrade has no setting for that address; the method that builds its application is replaced.
"""

import sys

from freqtrade.main import main
from freqtrade.rpc.telegram import Telegram
from telegram.ext import Application

base_url = sys.argv.pop(1)


def build(self: Telegram) -> Application:
    token = self._config["telegram"]["token"]
    return Application.builder().token(token).base_url(base_url).build()


Telegram._init_telegram_app = build  # type: ignore[method-assign]
main()
