"""What can be done while an answer is waited for.

A request that hangs holds the thread of the bot until it is timed out, 10 s by default. It can hang
on another thread while the bot looks at its account. What the account is asked for (a signed GET)
is what such a look is made of, so its answer can't be left to come late: it is asked for again.
"""

from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, as_completed, wait
from threading import Thread
from typing import Any

import requests

# A signed GET that takes so long is asked for a second time, or three times as long as the one
# before took, up to the third: a slow venue is not asked for everything twice.
HANGS_S, TIMES_THE_LAST, HANGS_AT_MOST_S = 0.5, 3.0, 2.0

Answer = Future[requests.Response]


class PatientSession(requests.Session):
    """A session whose requests are waited for by `meanwhile`.

    meanwhile: given the answer to come, and the body that it is to, on the thread that asked;
        returns when it is there. Without one every request is an ordinary one.
    sign_again: given the address and headers of a signed GET, its headers for another time; None
        when there is no room for that in the budget
    """

    meanwhile: Callable[[Answer, str], None] | None = None
    sign_again: Callable[[str, Mapping[str, str]], Mapping[str, str] | None]
    _last_took_s = 0.0

    def request(self, method: Any, *args: Any, **kwargs: Any) -> requests.Response:
        """Send a request and return its answer."""
        if self.meanwhile is None:
            return super().request(method, *args, **kwargs)
        answer = self._asked(method, *args, **kwargs)
        signed = "ACCESS-SIGN" in (kwargs.get("headers") or {})
        if signed and str(method).upper() == "GET":
            return self._sooner(answer, method, *args, **kwargs)
        self.meanwhile(answer, str(kwargs.get("data") or b"", "utf-8"))
        return answer.result()

    def _asked(self, *args: Any, **kwargs: Any) -> Answer:
        answer: Answer = Future()
        send = super().request

        def ask() -> None:
            try:
                answer.set_result(send(*args, **kwargs))
            except BaseException as e:  # noqa: BLE001 - raised again by whoever waits for it
                answer.set_exception(e)

        # A thread a request: there are a few in a loop, and none is left when the bot ends.
        Thread(name="blofin_request", target=ask, daemon=True).start()
        return answer

    def _sooner(self, answer: Answer, method: Any, url: Any, **kwargs: Any) -> requests.Response:
        """The answer, or that to the same question asked again, whichever comes first."""
        hangs_s = min(max(HANGS_S, TIMES_THE_LAST * self._last_took_s), HANGS_AT_MOST_S)
        if not wait([answer], timeout=hangs_s).done:
            headers = self.sign_again(url, kwargs["headers"])
            if headers is not None:
                again = self._asked(method, url, **kwargs | {"headers": headers})
                answer = _first([answer, again])
        response = answer.result()
        self._last_took_s = response.elapsed.total_seconds()
        return response


def _first(answers: Iterable[Answer]) -> Answer:
    """The first that comes, if need be the first failure."""
    failed = []
    for answer in as_completed(answers):
        if answer.exception() is None:
            return answer
        failed.append(answer)
    return failed[0]
