"""The vendor's codes, and what each means for a person.

`FLOW_CODES` are the numbers of `ErrCode`, `LiveStatus` and `Comparestatus` (documents 1007/31082 and 1007/115319);
`API_REASONS` and the sets after it are the words of `Response.Error.Code`. The vendor changes its messages without
notice, so only codes are read.
"""

from collections.abc import Mapping

from verification.attempts import Reason

PASSED = 0
ALREADY_DONE = 14
"""The result is there, and is read by the next poll."""
NOT_FINISHED = 17
NO_TRIES_LEFT = 16
"""The tries of one token are used up; the person may begin again at once, and hears why the last try failed."""

OPERATOR_CODES = frozenset({203, 204})
"""The account at the vendor has no right to this check."""

FINAL_CODES: frozenset[int | str] = frozenset(
    {15, NO_TRIES_LEFT, 2018, "InvalidParameterValue.BizTokenExpired", "InvalidParameterValue.BizTokenIllegal"}
)
"""After these no further try is possible. After any other failure the person may try again with the same token."""

COVERED_TAG = "14"
"""The tag of `LivenessInfoTag` for a covered face; every other tag is a picture that cannot be used."""

FLOW_CODES: Mapping[int, Reason] = {
    **dict.fromkeys((301, 2002, 2003, 2005, 2006), Reason.MISMATCH),
    **dict.fromkeys((2011, 2015, 2016), Reason.FACE_DIFFERS),
    **dict.fromkeys((1102, 1203, 1204, 1205, 2010, 2013), Reason.FACE_OUT_OF_FRAME),
    **dict.fromkeys((1002, 1003, 1004, 1005, 1101, 1103, 1104, 1105, 1106, 1107, 1108, 1109), Reason.FACE_UNCLEAR),
    **dict.fromkeys((1201, 1202, 1301, 1302, 1303, 2004, 2012, 2014), Reason.FACE_UNCLEAR),
    **dict.fromkeys((2007, 2008, 2009), Reason.NO_PHOTO),
    **dict.fromkeys((15, NO_TRIES_LEFT, 1409, 1410), Reason.UNFINISHED),
    2018: Reason.TOO_MANY,
    **dict.fromkeys((1, 2, 3, 4, 8, 10, 12, 13, 201, 202, 203, 204, 302, 303), Reason.UNAVAILABLE),
    **dict.fromkeys((1001, 1006, 1007, 1008, 2001, 2017), Reason.UNAVAILABLE),
}
"""The reason of each code of a flow that did not pass; an unknown code is `UNAVAILABLE`, and counted."""


def _failed(names: str, reason: Reason) -> dict[str, Reason]:
    return dict.fromkeys((f"FailedOperation.{name}" for name in names.split()), reason)


API_REASONS: Mapping[str, Reason] = {
    **_failed("IdNameMisMatch IdFormatError NameFormatError IdNoExistSystem", Reason.MISMATCH),
    **_failed("CompareFail CompareLowSimilarity", Reason.FACE_DIFFERS),
    **_failed("IncompleteFace LipFaceIncomplete ActionNodetectFace", Reason.FACE_OUT_OF_FRAME),
    **_failed("ActionFaceClose ActionFaceFar ActionFaceLeft ActionFaceRight", Reason.FACE_OUT_OF_FRAME),
    **_failed("CoveredFace SilentFaceWithMaskFail", Reason.FACE_COVERED),
    **_failed(
        "ActionCloseEye ActionFirstAction ActionOpenMouth ActionLightDark ActionLightStrong", Reason.FACE_UNCLEAR
    ),
    **_failed("LivessDetectFail LivessDetectFake LivessBestFrameError LivessUnknownError", Reason.FACE_UNCLEAR),
    **_failed("SilentDetectFail SilentEyeLiveFail SilentFaceDetectFail SilentFaceQualityFail", Reason.FACE_UNCLEAR),
    **_failed("SilentMouthLiveFail SilentMultiFaceFail SilentPictureLiveFail SilentThreshold", Reason.FACE_UNCLEAR),
    **_failed("SilentTooShort LipMoveSmall LipSizeError LipVideoInvalid LipVideoQuaility", Reason.FACE_UNCLEAR),
    **_failed("LipVoiceDetect LipVoiceLow LipVoiceRecognize ImageBlur PoorImageQuality", Reason.FACE_UNCLEAR),
    **_failed("ImageDecodeFailed ImageNoIdCard ImageSizeTooLarge EmptyImageError OcrFailed", Reason.FACE_UNCLEAR),
    **_failed("LifePhotoDetectFaces LifePhotoDetectFake LifePhotoDetectNoFaces", Reason.FACE_UNCLEAR),
    **_failed("LifePhotoPoorQuality LifePhotoSizeError VideoDecodeFailed VideoDurationExceeded", Reason.FACE_UNCLEAR),
    **_failed("IdPhotoNoExist IdPhotoPoorQuality", Reason.NO_PHOTO),
    **_failed("IdentityAuthLimitExceeded", Reason.TOO_MANY),
    **_failed("InvalidTokenParameter", Reason.UNFINISHED),
    "InvalidParameterValue.BizTokenExpired": Reason.UNFINISHED,
    "InvalidParameterValue.BizTokenIllegal": Reason.UNFINISHED,
}
"""The reason of each error that says how the check went."""

TRANSIENT_ERRORS = frozenset(
    _failed(
        "UnKnown DbError CompareSystemError CompareLibServiceUnavailable DetectEngineSystemError LivessSystemError "
        "EncryptSystemError DecryptSystemError DownLoadError DownLoadTimeoutError FileSaveError CompressVideoError "
        "IdPhotoSystemNoanswer LipNetFailed RequestLimitExceeded",
        Reason.UNAVAILABLE,
    )
)
_TRANSIENT_ROOTS = frozenset({"InternalError", "RequestLimitExceeded"})
_OPERATOR_ERRORS = frozenset(_failed("StsUnAuthErrError UnregisteredEid", Reason.UNAVAILABLE))
_OPERATOR_ROOTS = frozenset(
    {"AuthFailure", "UnauthorizedOperation", "UnsupportedOperation", "InvalidParameter", "InvalidParameterValue"}
)


def is_transient(code: str) -> bool:
    """Whether the vendor could not answer this time, and the next call may succeed."""
    return code in TRANSIENT_ERRORS or code.partition(".")[0] in _TRANSIENT_ROOTS


def is_operators_fault(code: str) -> bool:
    """Whether the operator must mend something: the key, the rule, the account, the clock, or this program."""
    is_listed = code in _OPERATOR_ERRORS or code.partition(".")[0] in _OPERATOR_ROOTS
    return is_listed and code not in API_REASONS
