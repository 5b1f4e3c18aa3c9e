"""What FaceID's result means: every code of its tables, nulls everywhere, and passes that prove nothing about us."""

from typing import Any

import pytest

from tests.each_case import each_case
from tests.faceid_server import TEXT_FIELDS
from tests.fakes import NUMBER, OTHER_NUMBER, make_attempt
from verification.attempts import Reason
from verification.providers.tencent.codes import (
    API_REASONS,
    FLOW_CODES,
    TRANSIENT_ERRORS,
    is_operators_fault,
    is_transient,
)
from verification.providers.tencent.results import (
    FlowFailed,
    FlowPassed,
    ForeignPass,
    NotFinished,
    charged_tries,
    read_text,
)

ATTEMPT = make_attempt(attempt_id="a1")
PASS = {"ErrCode": 0, "LiveStatus": 0, "Comparestatus": 0, "Extra": "a1", "IdCard": NUMBER, "Name": "王小明"}

EXPECTED: tuple[tuple[Reason, tuple[int, ...]], ...] = (
    (Reason.MISMATCH, (301, 2002, 2003, 2005, 2006)),
    (Reason.FACE_DIFFERS, (2011, 2015, 2016)),
    (Reason.FACE_OUT_OF_FRAME, (1102, *range(1203, 1206), 2010, 2013)),
    (
        Reason.FACE_UNCLEAR,
        (*range(1002, 1006), 1101, *range(1103, 1110), 1201, 1202, *range(1301, 1304), 2004, 2012, 2014),
    ),
    (Reason.NO_PHOTO, (2007, 2008, 2009)),
    (Reason.UNFINISHED, (15, 16, 1409, 1410)),
    (Reason.TOO_MANY, (2018,)),
    (Reason.UNAVAILABLE, (1, 2, 3, 4, 8, 10, 12, 13, 201, 202, 203, 204, 302, 303, 1001, 1006, 1007, 1008, 2001, 2017)),
)
"""The table as the vendor's documents give it, written a second time."""


def text(**fields: object) -> dict[str, Any]:
    """A `Text` as the vendor gives it: every field, null where nothing is said."""
    return dict.fromkeys(TEXT_FIELDS) | fields


@each_case("reason, code", [(reason, code) for reason, codes in EXPECTED for code in codes])
def test_every_code_has_its_reason(reason: Reason, code: int) -> None:
    assert read_text(text(ErrCode=code), ATTEMPT) == FlowFailed(code, 0, reason)


def test_the_table_has_no_other_codes() -> None:
    assert sorted(FLOW_CODES) == sorted(code for _, codes in EXPECTED for code in codes)


@pytest.mark.parametrize("code", [5, 18, 999, 1110, 2019, -1, 10**12])
def test_an_unknown_code_is_a_failure_without_a_reason(code: int) -> None:
    assert read_text(text(ErrCode=code), ATTEMPT) == FlowFailed(code, 0, None)


@pytest.mark.parametrize("result", [None, {}, [], "passed", 0, text(), text(ErrCode=17), text(ErrCode=14)])
@each_case("value", [None, [], "", 7])
def test_a_flow_without_a_result_is_not_finished(result: object, value: object) -> None:
    given = result | {"LivenessDetail": value} if isinstance(result, dict) else result
    assert read_text(given, ATTEMPT) == NotFinished()


@pytest.mark.parametrize("code", ["0", 0.0, False, True, [0], {}])
def test_a_code_of_another_type_says_nothing(code: object) -> None:
    assert isinstance(read_text(text(**PASS | {"ErrCode": code}), ATTEMPT), NotFinished)
    assert isinstance(read_text(text(**PASS | {"LiveStatus": code}), ATTEMPT), NotFinished)


def test_a_try_shows_that_somebody_is_doing_the_check() -> None:
    assert read_text(text(ErrCode=17, LivenessDetail=[{"Errcode": 1002}]), ATTEMPT) == NotFinished(has_tries=True)


@pytest.mark.parametrize("missing", ["Extra", "IdCard", "Name", "CompareLibType"])
def test_a_pass_with_a_null_counts(missing: str) -> None:
    assert read_text(text(**PASS | {missing: None}), ATTEMPT) == FlowPassed()


def test_a_pass_counts_however_the_same_name_and_number_are_written() -> None:
    written = {"IdCard": NUMBER.lower(), "Name": " 王 小 明", "CompareLibType": "权威库"}
    assert read_text(text(**PASS | written), ATTEMPT) == FlowPassed()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("Extra", "a2"),
        ("Extra", ""),
        ("Extra", 1),
        ("IdCard", OTHER_NUMBER),
        ("IdCard", 11010519491231002),
        ("Name", "王大明"),
        ("Name", ["王小明"]),
        ("CompareLibType", "业务方自有库"),
        ("CompareLibType", "业务方自有库（用户上传照片）"),
    ],
)
def test_a_pass_of_somebody_else_never_counts(field: str, value: object) -> None:
    assert read_text(text(**PASS | {field: value}), ATTEMPT) == ForeignPass(field)


@pytest.mark.parametrize(
    "missing", [("LiveStatus",), ("Comparestatus",), ("Extra", "IdCard"), ("Extra", "IdCard", "Name")]
)
def test_a_pass_that_names_nobody_or_lacks_a_part_is_no_pass_yet(missing: tuple[str, ...]) -> None:
    assert read_text(text(**PASS | dict.fromkeys(missing)), ATTEMPT) == NotFinished(has_tries=True)


@pytest.mark.parametrize(
    ("field", "code", "reason"),
    [("LiveStatus", 1002, Reason.FACE_UNCLEAR), ("Comparestatus", 2016, Reason.FACE_DIFFERS)],
)
def test_a_pass_with_a_part_that_failed_is_a_failure(field: str, code: int, reason: Reason) -> None:
    assert read_text(text(**PASS | {field: code}), ATTEMPT) == FlowFailed(code, 0, reason)


def test_an_attempt_that_has_ended_is_known_by_its_extra_alone() -> None:
    ended = make_attempt(attempt_id="a1", identity=None)
    assert read_text(text(**PASS | {"Name": "王大明"}), ended) == FlowPassed()
    assert read_text(text(**PASS | {"Extra": "a2"}), ended) == ForeignPass("Extra")


@pytest.mark.parametrize(
    ("code", "tags", "reason"),
    [
        (1002, ["09", "14"], Reason.FACE_COVERED),
        (2016, ["14"], Reason.FACE_COVERED),
        (2010, ["10"], Reason.FACE_UNCLEAR),
        (1002, [], Reason.FACE_UNCLEAR),
        (1002, "14", Reason.FACE_UNCLEAR),
        (2016, None, Reason.FACE_DIFFERS),
        (2006, ["14"], Reason.MISMATCH),
        (2018, ["14"], Reason.TOO_MANY),
    ],
)
def test_a_tag_says_more_than_the_code_about_a_picture(code: int, tags: object, reason: Reason) -> None:
    assert read_text(text(ErrCode=code, LivenessInfoTag=tags), ATTEMPT) == FlowFailed(code, 0, reason)


@pytest.mark.parametrize(
    ("tries", "reason"),
    [
        ([{"Errcode": 1002}, {"Errcode": 2016}], Reason.FACE_DIFFERS),
        ([{"Errcode": 2999}], Reason.UNFINISHED),
        ([{"Errcode": None}], Reason.UNFINISHED),
        ([{"Errcode": 2016}, None], Reason.UNFINISHED),
        ([], Reason.UNFINISHED),
    ],
)
def test_where_no_tries_are_left_the_last_one_says_why(tries: list[object], reason: Reason) -> None:
    assert read_text(text(ErrCode=16, LivenessDetail=tries), ATTEMPT) == FlowFailed(16, len(tries), reason)


def test_charged_tries_are_counted() -> None:
    detail = [{"IsNeedCharge": True}, {"IsNeedCharge": False}, {"IsNeedCharge": None}, {}, None, {"IsNeedCharge": True}]
    assert charged_tries(text(LivenessDetail=detail)) == 2
    assert charged_tries(None) == 0


EXPECTED_ERRORS: tuple[tuple[Reason, str], ...] = (
    (Reason.MISMATCH, "IdFormatError IdNameMisMatch IdNoExistSystem NameFormatError"),
    (Reason.FACE_DIFFERS, "CompareFail CompareLowSimilarity"),
    (
        Reason.FACE_OUT_OF_FRAME,
        "ActionFaceClose ActionFaceFar ActionFaceLeft ActionFaceRight ActionNodetectFace IncompleteFace "
        "LipFaceIncomplete",
    ),
    (Reason.FACE_COVERED, "CoveredFace SilentFaceWithMaskFail"),
    (
        Reason.FACE_UNCLEAR,
        "ActionCloseEye ActionFirstAction ActionLightDark ActionLightStrong ActionOpenMouth EmptyImageError ImageBlur "
        "ImageDecodeFailed ImageNoIdCard ImageSizeTooLarge LifePhotoDetectFaces LifePhotoDetectFake "
        "LifePhotoDetectNoFaces LifePhotoPoorQuality LifePhotoSizeError LipMoveSmall LipSizeError LipVideoInvalid "
        "LipVideoQuaility LipVoiceDetect LipVoiceLow LipVoiceRecognize LivessBestFrameError LivessDetectFail "
        "LivessDetectFake LivessUnknownError OcrFailed PoorImageQuality SilentDetectFail SilentEyeLiveFail "
        "SilentFaceDetectFail SilentFaceQualityFail SilentMouthLiveFail SilentMultiFaceFail SilentPictureLiveFail "
        "SilentThreshold SilentTooShort VideoDecodeFailed VideoDurationExceeded",
    ),
    (Reason.NO_PHOTO, "IdPhotoNoExist IdPhotoPoorQuality"),
    (Reason.TOO_MANY, "IdentityAuthLimitExceeded"),
    (Reason.UNFINISHED, "InvalidTokenParameter"),
)
"""The words after `FailedOperation.` as the vendor's documents give them, written a second time."""
EXPECTED_TRANSIENT = (
    "CompareLibServiceUnavailable CompareSystemError CompressVideoError DbError DecryptSystemError "
    "DetectEngineSystemError DownLoadError DownLoadTimeoutError EncryptSystemError FileSaveError IdPhotoSystemNoanswer "
    "LipNetFailed LivessSystemError RequestLimitExceeded UnKnown"
)
TOKEN_ERRORS = ("InvalidParameterValue.BizTokenExpired", "InvalidParameterValue.BizTokenIllegal")


def failed(words: str) -> list[str]:
    return [f"FailedOperation.{word}" for word in words.split()]


def test_every_error_that_says_how_the_check_went_has_its_reason() -> None:
    expected = {code: reason for reason, words in EXPECTED_ERRORS for code in failed(words)}
    expected |= dict.fromkeys(TOKEN_ERRORS, Reason.UNFINISHED)

    assert expected == API_REASONS
    assert not [code for code in expected if is_transient(code) or is_operators_fault(code)]


def test_every_error_of_the_vendors_own_may_pass() -> None:
    others = ["InternalError", "InternalError.UnKnown", "RequestLimitExceeded", "RequestLimitExceeded.Account"]

    assert set(failed(EXPECTED_TRANSIENT)) == TRANSIENT_ERRORS
    assert [code for code in (*TRANSIENT_ERRORS, *others) if not is_transient(code) or is_operators_fault(code)] == []


@pytest.mark.parametrize(
    "code",
    [
        "AuthFailure.SignatureExpire",
        "UnauthorizedOperation.Arrears",
        "InvalidParameter",
        "InvalidParameterValue.RuleIdNotExist",
        "InvalidParameterValue.RuleIdDisabled",
        "UnsupportedOperation",
        "FailedOperation.StsUnAuthErrError",
        "FailedOperation.UnregisteredEid",
    ],
)
def test_an_error_of_the_account_is_the_operators(code: str) -> None:
    assert is_operators_fault(code)
    assert not is_transient(code)


def test_an_unknown_error_is_nobodys() -> None:
    assert not is_operators_fault("FailedOperation.NewWord")
    assert not is_transient("FailedOperation.NewWord")
