"""What can be done while a public answer is waited for.

A request that hangs holds the thread of the bot until it is timed out, 10 s by default. Public GETs
change nothing and are signed by nobody: they can hang elsewhere while the bot looks at its account.
"""

from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread
from typing import Any

import requests


class PatientSession(requests.Session):
    """A session whose public GETs are waited for by `meanwhile`.

    meanwhile: given the answer to come, on the thread that asked; returns when it is there. Without
        one every request is an ordinary one.
    """

    meanwhile: Callable[[Future[requests.Response]], None] | None = None

    def request(self, method: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request and return its answer."""
        signed = "ACCESS-SIGN" in (kwargs.get("headers") or {})
        if self.meanwhile is None or signed or str(method).upper() != "GET":
            return super().request(method, *args, **kwargs)
        answer: Future[requests.Response] = Future()
        send = super().request

        def ask() -> None:
            try:
                answer.set_result(send(method, *args, **kwargs))
            except BaseException as e:  # noqa: BLE001 - raised again by whoever waits for it
                answer.set_exception(e)

        # A thread a request: there are a few in a loop, and none is left when the bot ends.
        Thread(name="blofin_public", target=ask, daemon=True).start()
        self.meanwhile(answer)
        return answer.result()
