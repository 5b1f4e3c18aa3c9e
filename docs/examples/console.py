"""Verifies a person from a terminal: a second front end beside the running bot, with a key and nothing else.

    export API_URL=https://verify.example.org API_KEY=...
    python console.py cloud:100012345 --method wechat --language zh

The key needs the scopes `attempts` and `accounts`. Name and number are asked for and never taken as arguments, which
other users of the machine can read. Exit status: 0 verified, 1 not verified, 2 refused or unreachable.
"""

import argparse
import json
import os
import sys
import time
import urllib.error
import urllib.request
import uuid
from typing import Any
from urllib.parse import quote

TEXTS = {
    "zh": {
        "already": "该账号已完成实名认证。",
        "consent": "为核验身份，需要把您的姓名和身份证号发送给核验服务。是否同意？[y/N] ",
        "name": "姓名：",
        "number": "身份证号：",
        "scan": "请用手机扫码，并核对手机页面上的两位数字：{code}",
        "opened": "手机已打开页面。",
        "confirming": "正在核验……",
        "succeeded": "认证成功。",
        "failed": "这次没有通过（{reason}）。",
        "expired": "二维码已过期。",
        "cancelled": "认证已取消。",
        "refused": "无法认证：{reason}",
    },
    "en": {
        "already": "This account is verified already.",
        "consent": "To check who you are, your name and ID number are sent to the verification service. Agree? [y/N] ",
        "name": "Name: ",
        "number": "ID number: ",
        "scan": "Scan this code with your phone, and compare the two digits on its page: {code}",
        "opened": "The page is open on the phone.",
        "confirming": "Checking …",
        "succeeded": "Verified.",
        "failed": "It did not pass this time ({reason}).",
        "expired": "The code has expired.",
        "cancelled": "Cancelled.",
        "refused": "Refused: {reason}",
    },
}


class Refused(Exception):
    """The API refuses; the message is its code."""


def call(verb: str, path: str, body: object = None, idempotency_key: str = "") -> Any:
    """Make one call; while the network or the bot is away it is made again with the same key, which is harmless."""
    headers = {"Authorization": f"Bearer {os.environ['API_KEY']}", "Content-Type": "application/json"}
    if idempotency_key:
        headers["Idempotency-Key"] = idempotency_key
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{os.environ['API_URL']}/v1/{path}", data, headers, method=verb)
    reason = ""
    for pause in (0, 1, 2, 4, 8):
        time.sleep(pause)
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text = answer.read().decode()
            return text if path.endswith(".txt") else json.loads(text)
        except urllib.error.HTTPError as error:
            with error:
                is_problem = error.headers.get_content_type() == "application/problem+json"
                reason = json.load(error)["code"] if is_problem else f"status {error.code}"
            if is_problem and reason not in ("rate_limited", "internal", "unavailable"):
                break
        except OSError as error:
            reason = type(error).__name__
    raise Refused(reason)


def verify(account: str, method: str, language: str) -> int:
    """Lead one person through the verification."""
    texts = TEXTS[language]
    if call("GET", f"accounts/{quote(account)}")["verified"]:
        print(texts["already"])
        return 0
    if input(texts["consent"]).strip().lower() not in ("y", "yes", "是"):
        return 1
    person = {"account": account, "name": input(texts["name"]), "number": input(texts["number"])}
    attempt = call("POST", "attempts", person | {"method": method, "language": language}, str(uuid.uuid4()))
    path = f"attempts/{attempt['id']}"
    shown = attempt["status"]
    try:
        compare = texts["scan"].format(code=attempt["match_code"])
        print(call("GET", f"{path}/qr.txt"), compare, attempt["url"], sep="\n", flush=True)
        while True:
            attempt = call("GET", path)
            if attempt["status"] != shown:
                shown = attempt["status"]
                print(texts[shown].format(reason=attempt["reason"]), flush=True)
            if shown in ("succeeded", "failed", "expired", "cancelled"):
                return int(shown != "succeeded")
            time.sleep(1)
    except KeyboardInterrupt:
        call("DELETE", path)
        return 1


def main() -> int:
    """Read the arguments, and say in the person's language what the API refuses."""
    parser = argparse.ArgumentParser()
    parser.add_argument("account")
    parser.add_argument("--method", default="wechat", choices=("wechat", "qq", "face"))
    parser.add_argument("--language", default="zh", choices=tuple(TEXTS))
    given = parser.parse_args()
    if not {"API_URL", "API_KEY"} <= os.environ.keys():
        parser.error("API_URL and API_KEY: set both")
    try:
        return verify(given.account, given.method, given.language)
    except Refused as refusal:
        print(TEXTS[given.language]["refused"].format(reason=refusal), file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
