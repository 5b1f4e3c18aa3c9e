"""Finds out by one free call whether app, keys, contract, clock and network are good."""

from verification.errors import ProviderUnavailable
from verification.providers.alipay.client import AlipayClient, AlipayError

_NO_VERIFICATION = "0" * 32

_SENTENCES = {
    "isv.invalid-app-id": "ALIPAY_APP_ID is unknown",
    "isv.invalid-signature": "ALIPAY_PRIVATE_KEY does not belong to the app",
    "isv.invalid-timestamp": "the clock of this machine is off",
    "isv.insufficient-isv-permissions": "the app has no contract for identity verification (身份验证)",
    "OPEN_CERTIFY_BILL_NOT_EXIST": "the app has no contract for identity verification (身份验证)",
}


async def find_problem(client: AlipayClient) -> str | None:
    """Read a verification that does not exist; None when the platform says just that, otherwise what is wrong."""
    try:
        await client.query(_NO_VERIFICATION)
    except AlipayError as error:
        if error.is_operators_fault or error.code != "40004":
            return _SENTENCES.get(error.sub_code, f"Alipay answers {error}")
        if not error.is_signed:
            return "ALIPAY_PUBLIC_KEY is not Alipay's own key (支付宝公钥) for the app"
    except ProviderUnavailable as error:
        return f"Alipay cannot be reached: {error}"
    return None
