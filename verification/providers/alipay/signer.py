"""Signatures of Alipay's open platform by RSA2: RSA with SHA-256 and PKCS #1 v1.5.

The source of the rules is https://opendocs.alipay.com/common/02kf5q.

The merchant signs its calls with its own key. The platform signs its answers with another one, over the bytes of the
inner object as they were sent.
"""

import base64
import re
from collections.abc import Mapping
from contextlib import suppress

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.padding import PKCS1v15
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, RSAPublicKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_der_private_key, load_der_public_key

_PEM_LINE = re.compile(r"-----[A-Z ]+-----")
_MIN_BITS = 2048


class MerchantKey:
    """The merchant's private key."""

    def __init__(self, written: str) -> None:
        """Read a key of at least 2048 bits in PKCS #8 or PKCS #1, as PEM or bare base64; raises `ValueError`."""
        with suppress(ValueError, TypeError):
            key = load_der_private_key(_der(written), password=None)
            if isinstance(key, RSAPrivateKey) and key.key_size >= _MIN_BITS:
                self._key = key
                return
        raise ValueError("write an RSA private key of at least 2048 bits, as PEM or base64")

    def sign(self, parameters: Mapping[str, str]) -> str:
        """The signature of a call: of its parameters in order, not encoded, without the empty ones."""
        text = "&".join(f"{name}={value}" for name, value in sorted(parameters.items()) if value)
        return base64.b64encode(self._key.sign(text.encode(), PKCS1v15(), SHA256())).decode()


class PlatformKey:
    """The platform's public key."""

    def __init__(self, written: str) -> None:
        """Read a key of at least 2048 bits, as PEM or bare base64; raises `ValueError`."""
        with suppress(ValueError, TypeError):
            key = load_der_public_key(_der(written))
            if isinstance(key, RSAPublicKey) and key.key_size >= _MIN_BITS:
                self._key = key
                return
        raise ValueError("write Alipay's RSA public key of at least 2048 bits, as PEM or base64")

    def has_signed(self, text: str, signature: object) -> bool:
        """Whether the platform signed exactly this text."""
        if not isinstance(signature, str):
            return False
        try:
            self._key.verify(base64.b64decode(signature, validate=True), text.encode(), PKCS1v15(), SHA256())
        except (InvalidSignature, ValueError):
            return False
        return True


def _der(written: str) -> bytes:
    return base64.b64decode(re.sub(r"\s", "", _PEM_LINE.sub("", written)), validate=True)
