"""Finds out by one free call whether key, rule, clock and network are good."""

from verification.errors import ProviderUnavailable
from verification.providers.tencent.client import FaceIdClient, FaceIdError
from verification.providers.tencent.codes import API_REASONS

_NO_FLOW = "00000000-0000-0000-0000-000000000000"

_SENTENCES = {
    "AuthFailure.SignatureExpire": "the clock of this machine is more than five minutes off",
    "AuthFailure.SignatureFailure": "TENCENT_SECRET_KEY does not belong to TENCENT_SECRET_ID",
    "AuthFailure.SecretIdNotFound": "TENCENT_SECRET_ID is unknown or disabled",
    "AuthFailure.InvalidSecretId": "TENCENT_SECRET_ID is not an id of this vendor's keys",
    "AuthFailure.UnauthorizedOperation": "the key may not call FaceID; give its user QcloudFaceIdFullAccess",
    "UnauthorizedOperation.Nonactivated": "FaceID is not activated for this account",
    "UnauthorizedOperation.Activating": "FaceID is being activated for this account; try again later",
    "UnauthorizedOperation.Arrears": "the account is in arrears",
    "UnauthorizedOperation.NonAuthorize": "the account itself is not verified",
    "InvalidParameterValue.RuleIdNotExist": "TENCENT_RULE_ID does not exist, or belongs to another account",
    "InvalidParameterValue.RuleIdDisabled": "TENCENT_RULE_ID is disabled in the console",
}


async def find_problem(client: FaceIdClient) -> str | None:
    """Read a flow that does not exist; None when the vendor says just that, otherwise what is wrong, as a sentence."""
    try:
        await client.detect_info(_NO_FLOW)
    except FaceIdError as error:
        # How a check went can be said only of a flow: the vendor took the key and the rule, and looked for it.
        if error.code not in API_REASONS:
            return _SENTENCES.get(error.code, f"FaceID answers {error}")
    except ProviderUnavailable as error:
        return f"FaceID cannot be reached: {error}"
    return None
