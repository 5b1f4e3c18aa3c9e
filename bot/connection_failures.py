"""Says in plain words why there is no connection to Telegram, and what an operator can do about it."""

import errno
import os
import re
import ssl
from collections.abc import Mapping

from verification.errors import describe_error

_UNREACHABLE = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL})
"""What an address says whose protocol this machine has not; another address of the same name tells more."""
_ERRNO = re.compile(r"\[Errno (\d+)\]")


def describe_failure(error: BaseException) -> str:
    """Why a connection failed, without its message, which may hold an address.

    >>> errors = (TimeoutError(), ConnectionResetError(), OSError("[Errno 101] a, [Errno 111] b"))
    >>> [describe_failure(error) for error in errors]
    ['timed out', 'blocked on the way (connection reset)', 'connection refused']
    """
    match error:
        case TimeoutError():
            return "timed out"
        case ssl.SSLCertVerificationError():
            return describe_error(error)
        case ssl.SSLError():
            return "blocked on the way (TLS broken)"
        case ConnectionResetError() | ConnectionAbortedError() | BrokenPipeError():
            return "blocked on the way (connection reset)"
        case OSError() if type(error) is OSError:
            return _describe_number(error)
    return describe_error(error)


def _describe_number(error: OSError) -> str:
    # One error for all addresses of a name has the numbers in its message only.
    numbers = [error.errno] if error.errno else [int(number) for number in _ERRNO.findall(str(error))]
    if not numbers:
        return describe_error(error)
    number = next((each for each in numbers if each not in _UNREACHABLE), numbers[0])
    told = OSError(number, os.strerror(number))
    return os.strerror(number).lower() if type(told) is OSError else describe_failure(told)


def telegram_advice(reason: str) -> str:
    """What an operator can do about a failure, from its reason."""
    return next((advice for sign, advice in _ADVICE.items() if sign in reason), "check the network and run doctor")


_ADVICE: Mapping[str, str] = {
    "proxy": "check TELEGRAM_PROXY, or else HTTPS_PROXY and ALL_PROXY, and the proxy itself",
    "name not found": "check this machine's DNS; where Telegram is blocked, set TELEGRAM_PROXY",
    "refused": "check BOT_API_URL and the firewall; where Telegram is blocked, set TELEGRAM_PROXY",
    "timed out": "check the network; where Telegram is blocked, set TELEGRAM_PROXY",
    "blocked": "something between here and Telegram cuts the connection; set TELEGRAM_PROXY",
    "certificate": "something else answers in Telegram's place; check the clock and BOT_API_URL, or set TELEGRAM_PROXY",
}
