"""ccxt's errors as freqtrade's: the one place where the one becomes the other."""

from collections.abc import Iterator
from contextlib import contextmanager

import ccxt
from freqtrade.exceptions import (
    DDosProtection,
    InsufficientFundsError,
    InvalidOrderException,
    OperationalException,
    RetryableOrderError,
    TemporaryError,
)


@contextmanager
def freqtrade_errors(action: str) -> Iterator[None]:
    """Turn what ccxt raises into what freqtrade's own exchange classes raise for it.

    :param action: what was tried, as it follows "could not"
    """
    try:
        yield
    except ccxt.InsufficientFunds as e:
        raise InsufficientFundsError(f"Insufficient funds to {action}. Message: {e}") from e
    except ccxt.OrderNotFound as e:
        raise RetryableOrderError(f"Order not found to {action}. Message: {e}") from e
    except (ccxt.InvalidOrder, ccxt.BadRequest, ccxt.OperationRejected) as e:
        raise InvalidOrderException(f"Could not {action}. Message: {e}") from e
    except ccxt.DDoSProtection as e:
        raise DDosProtection(e) from e
    except (ccxt.OperationFailed, ccxt.ExchangeError) as e:
        raise TemporaryError(
            f"Could not {action} due to {e.__class__.__name__}. Message: {e}"
        ) from e
    except ccxt.BaseError as e:
        raise OperationalException(e) from e


@contextmanager
def errors_at_start() -> Iterator[None]:
    """The same while the account is prepared: without it the bot must not start."""
    try:
        yield
    except ccxt.InvalidNonce:
        # The clock's own sentence says more.
        raise
    except ccxt.AuthenticationError as e:
        raise OperationalException(f"BloFin does not accept this API key. {e}") from e
    except ccxt.DDoSProtection as e:
        raise DDosProtection(e) from e
    except (ccxt.OperationFailed, ccxt.ExchangeError) as e:
        raise OperationalException(
            f"Could not prepare the BloFin account due to {e.__class__.__name__}. Message: {e}"
        ) from e


@contextmanager
def refusing_to_start(setting: str, wanted: str) -> Iterator[None]:
    """Say which setting an account can't be switched to that has orders or positions."""
    try:
        yield
    except (ccxt.OperationRejected, ccxt.BadRequest) as e:
        raise OperationalException(
            f"The BloFin account is not in {setting} '{wanted}' and can't be switched while "
            f"orders or positions are open. Close them in the app, or set {setting} to what "
            f"the account uses. Message: {e}"
        ) from e
