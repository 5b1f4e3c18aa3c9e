"""Bridges WeChat's face check 2.0 (人脸核身) to the protocol of a provider over HTTP: docs/operators/providers.md.

    pip install aiohttp
    export PROVIDER_SECRET=whsec_... WECHAT_APP_ID=wx... WECHAT_APP_SECRET=...
    python wechat_bridge.py 127.0.0.1 8090

The bot opens a session here, and its phone gets a link into a mini program of yours. The page there (wechat_page.js)
asks for a verify_id, starts WeChat's check, and says that it is done. Only what WeChat tells this server counts.
Sessions are in memory: a bridge that must survive a restart keeps them, sealed, in a database.
"""

import base64
import hashlib
import hmac
import json
import os
import secrets
import sys
import time
from dataclasses import dataclass
from typing import Any

from aiohttp import ClientSession, web

REASONS = {
    **dict.fromkeys((90002, 90003, 90004, 90005, 90006, 90008, 90009, 90010, 90017, 90107), "unfinished"),
    **dict.fromkeys((90011, 90013, 90014), "face_unclear"),
}
"""Of `verify_ret`; any other number is `unavailable`."""


@dataclass
class Session:
    """What a session holds; name and number are forgotten with the verdict."""

    id: str
    callback: str
    ends_at: float
    token: str
    person: dict[str, str]
    url: str = ""
    openid: str = ""
    verify_id: str = ""
    out_seq_no: str = ""
    state: str = "waiting"
    reason: str = ""


def cert_hash(person: dict[str, str]) -> str:
    """The digest that WeChat compares with the person it was given first."""
    parts = (f"{key}={base64.b64encode(value.encode()).decode()}" for key, value in person.items())
    return hashlib.sha256("&".join(parts).encode()).hexdigest()


class Bridge:
    """The sessions, and WeChat's interface."""

    def __init__(self, secret: str, app_id: str, app_secret: str, wechat: str = "https://api.weixin.qq.com") -> None:
        self._key = base64.b64decode(secret.removeprefix("whsec_"))
        self._app = {"appid": app_id, "secret": app_secret}
        self._wechat = wechat
        self._sessions: dict[str, Session] = {}
        self._access_token, self._renew_at = "", 0.0

    def app(self) -> web.Application:
        """Build the server."""
        app = web.Application()
        app.router.add_put("/sessions/{id}", self._open)
        app.router.add_get("/sessions/{id}", self._report)
        app.router.add_post("/mini/{token}/start", self._start)
        app.router.add_post("/mini/{token}/done", self._done)
        return app

    def _sign(self, message_id: str, timestamp: str, body: bytes) -> str:
        signed = f"{message_id}.{timestamp}.".encode() + body
        return "v1," + base64.b64encode(hmac.digest(self._key, signed, "sha256")).decode()

    async def _signed_body(self, request: web.Request) -> bytes:
        body, headers = await request.read(), request.headers
        sent_at, given = headers.get("webhook-timestamp", ""), headers.get("webhook-signature", "").split()
        expected = self._sign(headers.get("webhook-id", ""), sent_at, body).encode()
        is_fresh = sent_at.isdecimal() and abs(time.time() - int(sent_at)) <= 300
        if not is_fresh or not any(hmac.compare_digest(each.encode(), expected) for each in given):
            raise web.HTTPUnauthorized
        return body

    async def _ask(self, http: ClientSession, path: str, body: dict[str, Any] | None = None, **query: str) -> Any:
        verb = "GET" if body is None else "POST"
        async with http.request(verb, f"{self._wechat}/{path}", json=body, params=query) as answer:
            said = json.loads(await answer.read())
        if said.get("errcode", 0) != 0:
            raise web.HTTPBadGateway(text=f"{path}: {said['errcode']}")
        return said

    async def _call(self, path: str, body: dict[str, Any]) -> Any:
        async with ClientSession() as http:
            if time.time() >= self._renew_at:
                token = await self._ask(http, "cgi-bin/stable_token", {"grant_type": "client_credential", **self._app})
                self._access_token, self._renew_at = token["access_token"], time.time() + token["expires_in"] - 60
            return await self._ask(http, path, body, access_token=self._access_token)

    async def _open(self, request: web.Request) -> web.Response:
        asked = json.loads(await self._signed_body(request))
        now, session_id = time.time(), request.match_info["id"]
        self._sessions = {key: each for key, each in self._sessions.items() if each.ends_at > now}
        person = {"cert_type": "IDENTITY_CARD", "cert_name": asked["name"], "cert_no": asked["number"]}
        ends_at, token = now + asked["keep_seconds"], secrets.token_urlsafe(16)
        new = Session(session_id, asked["callback"], ends_at, token, person)
        session = self._sessions.setdefault(session_id, new)
        if not session.url:
            link = {"path": "pages/verify", "query": f"token={session.token}", "expire_type": 1, "expire_interval": 1}
            session.url = (await self._call("wxa/generate_urllink", link))["url_link"]
        return web.json_response({"session": session.id, "url": session.url})

    async def _report(self, request: web.Request) -> web.Response:
        await self._signed_body(request)
        session = self._sessions.get(request.match_info["id"])
        if session is None:
            raise web.HTTPNotFound
        reason = {"reason": session.reason} if session.reason else {}
        return web.json_response({"session": session.id, "state": session.state, **reason})

    def _session_of(self, request: web.Request) -> Session:
        for session in self._sessions.values():
            if hmac.compare_digest(session.token.encode(), request.match_info["token"].encode()):
                return session
        raise web.HTTPNotFound

    async def _start(self, request: web.Request) -> web.Response:
        session, code = self._session_of(request), (await request.json())["code"]
        if session.state in ("passed", "failed"):
            raise web.HTTPConflict
        async with ClientSession() as http:
            login = {"js_code": code, "grant_type": "authorization_code", **self._app}
            openid = (await self._ask(http, "sns/jscode2session", **login))["openid"]
        if session.openid not in ("", openid):
            raise web.HTTPForbidden
        wanted = {"out_seq_no": secrets.token_hex(16), "cert_info": session.person, "openid": openid}
        verify_id = (await self._call("cityservice/face/identify/getverifyid", wanted))["verify_id"]
        session.openid, session.verify_id, session.out_seq_no = openid, verify_id, wanted["out_seq_no"]
        session.state = "confirming"
        return web.json_response({"verify_id": verify_id})

    async def _done(self, request: web.Request) -> web.Response:
        session = self._session_of(request)
        if session.state == "confirming":
            about = {"verify_id": session.verify_id, "out_seq_no": session.out_seq_no, "openid": session.openid}
            about["cert_hash"] = cert_hash(session.person)
            result = (await self._call("cityservice/face/identify/queryverifyinfo", about))["verify_ret"]
            session.state = "passed" if result == 10000 else "failed"
            session.reason = "" if result == 10000 else REASONS.get(result, "unavailable")
            session.person = {}
            await self._tell_bot(session)
        return web.json_response({"state": session.state})

    async def _tell_bot(self, session: Session) -> None:
        """Hint at news; when it does not arrive, the bot asks within seconds anyway."""
        body, now, message_id = json.dumps({"session": session.id}).encode(), str(int(time.time())), f"c-{session.id}"
        headers = {"webhook-id": message_id, "webhook-timestamp": now}
        headers["webhook-signature"] = self._sign(message_id, now, body)
        try:
            async with ClientSession() as http, http.post(session.callback, data=body, headers=headers):
                pass
        except OSError:
            print(f"the bot cannot be reached about {session.id}", file=sys.stderr)


if __name__ == "__main__":
    names = ("PROVIDER_SECRET", "WECHAT_APP_ID", "WECHAT_APP_SECRET")
    web.run_app(Bridge(*(os.environ[name] for name in names)).app(), host=sys.argv[1], port=int(sys.argv[2]))
