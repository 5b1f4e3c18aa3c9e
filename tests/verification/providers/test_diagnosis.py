"""What each error of a vendor tells the operator."""

import json

from tests.alipay_server import APP_ID, key_pair, private_text, public_text
from tests.faceid_server import RULE_ID, SECRET_ID, SECRET_KEY
from tests.fakes import FakeClock
from tests.verification.providers.pair import answering
from verification.providers.alipay import diagnosis as alipay_diagnosis
from verification.providers.alipay.client import QUERY, AlipayAccount, AlipayClient
from verification.providers.alipay.signer import MerchantKey, PlatformKey
from verification.providers.tencent import diagnosis as faceid_diagnosis
from verification.providers.tencent.client import FaceIdAccount, FaceIdClient
from verification.providers.tencent.signer import Credentials

FACEID_SENTENCES = {
    "AuthFailure.SignatureExpire": "the clock of this machine",
    "AuthFailure.SignatureFailure": "TENCENT_SECRET_KEY does not belong",
    "AuthFailure.SecretIdNotFound": "TENCENT_SECRET_ID is unknown",
    "AuthFailure.InvalidSecretId": "TENCENT_SECRET_ID is not an id",
    "AuthFailure.UnauthorizedOperation": "QcloudFaceIdFullAccess",
    "UnauthorizedOperation.Nonactivated": "is not activated",
    "UnauthorizedOperation.Activating": "is being activated",
    "UnauthorizedOperation.Arrears": "in arrears",
    "UnauthorizedOperation.NonAuthorize": "the account itself is not verified",
    "InvalidParameterValue.RuleIdNotExist": "TENCENT_RULE_ID does not exist",
    "InvalidParameterValue.RuleIdDisabled": "TENCENT_RULE_ID is disabled",
}
ALIPAY_SENTENCES = {
    "isv.invalid-app-id": "ALIPAY_APP_ID is unknown",
    "isv.invalid-signature": "ALIPAY_PRIVATE_KEY does not belong",
    "isv.invalid-timestamp": "the clock of this machine",
    "isv.insufficient-isv-permissions": "no contract",
    "OPEN_CERTIFY_BILL_NOT_EXIST": "no contract",
}


async def test_each_error_of_faceid_that_an_operator_can_mend_has_its_sentence() -> None:
    account = FaceIdAccount("https://faceid.example.org", Credentials(SECRET_ID, SECRET_KEY), RULE_ID)
    for code, sentence in FACEID_SENTENCES.items():
        call = answering(json.dumps({"Response": {"Error": {"Code": code}, "RequestId": "1"}}).encode())
        problem = await faceid_diagnosis.find_problem(FaceIdClient(account, call, FakeClock()))
        assert problem is not None
        assert sentence in problem


async def test_each_error_of_alipay_that_an_operator_can_mend_has_its_sentence() -> None:
    keys = MerchantKey(private_text(key_pair("merchant"))), PlatformKey(public_text(key_pair("platform")))
    account = AlipayAccount("https://alipay.example.org", APP_ID, *keys)
    for code, sentence in ALIPAY_SENTENCES.items():
        error = {"code": "40004", "sub_code": code}
        call = answering(json.dumps({f"{QUERY.replace('.', '_')}_response": error}).encode())
        problem = await alipay_diagnosis.find_problem(AlipayClient(account, call, FakeClock()))
        assert problem is not None
        assert sentence in problem
