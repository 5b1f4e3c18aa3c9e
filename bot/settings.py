"""The settings of the program: read once from the environment and `.env`; a wrong one is told in one line."""

import re
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import AliasChoices, BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from bot import setting_types as types
from bot.env_file import check_names, read_variables
from bot.proxies import Proxy, is_bypassed, parse_proxy
from verification.attempts import Method
from verification.callers.keys import ApiCaller, read_callers
from verification.limits import AttemptLimits
from verification.providers.addresses import is_elsewhere, is_loopback

_NEEDED_SETTINGS = {
    "tencent": ("tencent_secret_id", "tencent_secret_key", "tencent_rule_id"),
    "alipay": ("alipay_app_id", "alipay_private_key", "alipay_public_key"),
}
_TENCENT_QR_TTL = timedelta(minutes=40)
"""A flow of FaceID ends after two hours, and an attempt may get its full time three times."""


class BadSetting(Exception):
    """A setting cannot be used; the message is one line that names it."""


FORMER_NAMES = {
    "provider_redirect_hosts": "provider_hosts",
    "daily_attempt_limit": "daily_attempts",
    "rate_limit_sending": "pace_sending",
}
"""Settings that had another name in 0.1; the old name is read until 0.3."""


def _also(name: str) -> AliasChoices:
    return AliasChoices(name, FORMER_NAMES[name])


def logs_as_json() -> bool:
    """Whether the log is to be JSON, also when other settings are wrong."""
    try:
        return read_variables().get("log_format", "").lower() == "json"
    except (OSError, ValueError):
        return False


def _former_names_in_use(given: Collection[str]) -> list[str]:
    """Return a line for each setting that is given under its former name alone."""
    return [
        f"{former.upper()} is called {name.upper()} now; the old name is read until 0.3"
        for name, former in FORMER_NAMES.items()
        if former in given and name not in given
    ]


SECRET_FILES = (
    "bot_token",
    "database_url",
    "encryption_keys",
    "index_key",
    "webhook_secret",
    "provider_secret",
    "tencent_secret_id",
    "tencent_secret_key",
    "alipay_private_key",
    "result_webhook_secret",
    "desk_key",
    "api_keys",
    "metrics_key",
)
"""Settings that a file may hold: `BOT_TOKEN_FILE` names the file that holds `BOT_TOKEN`."""


def _read_secret_files(given: Mapping[str, str]) -> dict[str, str]:
    return {name: _read_secret(name, path, given) for name in SECRET_FILES if (path := given.get(f"{name}_file"))}


def _read_secret(name: str, path: str, given: Mapping[str, str]) -> str:
    variable = f"{name}_file".upper()
    # Somebody may have written the secret itself in its place, and an error must not print it.
    if not Path(path).is_absolute():
        raise BadSetting(f"{variable}: write the absolute path of a file")
    if given.get(name):
        raise BadSetting(f"{variable}: {path} and {name.upper()} are both given; keep one of them")
    try:
        secret = Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise BadSetting(f"{variable}: cannot read {path} ({error.strerror})") from None
    except UnicodeDecodeError:
        raise BadSetting(f"{variable}: cannot read {path} (it is no text)") from None
    if not secret:
        raise BadSetting(f"{variable}: {path} is empty")
    return secret


class Settings(BaseModel):
    """The settings, in the names of the environment's variables."""

    model_config = ConfigDict(
        extra="ignore", frozen=True, hide_input_in_errors=True, populate_by_name=True, validate_default=True
    )

    bot_token: types.BotToken | None = None
    bot_api_url: types.Address = "https://api.telegram.org"
    telegram_proxy: types.ProxyUrl | None = None
    https_proxy: SecretStr | None = None
    http_proxy: SecretStr | None = None
    all_proxy: SecretStr | None = None
    no_proxy: str = ""
    data_dir: Path = Path("data")
    database_url: types.DatabaseUrl = SecretStr("")
    host: str = "127.0.0.1"
    port: int = Field(default=8080, ge=0, le=65535)
    public_url: types.OwnAddress = ""
    trusted_proxies: types.Networks = "127.0.0.0/8,::1"
    metrics_port: int | None = Field(default=None, ge=0, le=65535)
    metrics_key: types.Key | None = None
    metrics_campaigns: types.Flag = False
    webhook_url: types.OwnAddress = ""
    webhook_secret: SecretStr | None = None
    provider_wechat: types.Provider = "simulated"
    provider_qq: types.Provider = "simulated"
    provider_face: types.FaceProvider = "simulated"
    provider_netid: types.NetidProvider = "off"
    provider_url: types.ServiceUrl = ""
    provider_secret: types.SigningSecret | None = None
    provider_redirect_hosts: types.Hosts = Field(default="", validation_alias=_also("provider_redirect_hosts"))
    tencent_secret_id: types.TencentKey | None = None
    tencent_secret_key: types.TencentKey | None = None
    tencent_rule_id: types.TencentRule = ""
    tencent_endpoint: types.ApiUrl = "https://faceid.tencentcloudapi.com"
    alipay_app_id: types.AlipayApp = ""
    alipay_private_key: types.AlipayPrivateKey | None = None
    alipay_public_key: types.AlipayPublicKey = ""
    alipay_gateway: types.GatewayUrl = "https://openapi.alipay.com/gateway.do"
    allow_simulated: types.Flag = False
    encryption_keys: SecretStr | None = None
    index_key: SecretStr | None = None
    qr_ttl: types.CodeDuration = timedelta(minutes=10)
    link_ttl: types.LinkDuration = timedelta(minutes=30)
    reminders: types.Flag = True
    reminder_utc_offset: float = Field(default=8, ge=-12, le=14, allow_inf_nan=False)
    retention_days: int = Field(default=30, ge=1, le=3650)
    daily_attempt_limit: int = Field(
        default=AttemptLimits().overall, ge=1, le=1_000_000, validation_alias=_also("daily_attempt_limit")
    )
    log_format: Annotated[Literal["text", "json"], types.SmallLetters] = "text"
    log_level: Annotated[Literal["DEBUG", "INFO", "WARNING", "ERROR"], types.Capitals] = "INFO"
    language: types.Language = "zh"
    clock_offset_file: Path | None = None
    dialogue_coverage_file: Path | None = None
    messages_per_second: int = Field(default=25, ge=1, le=10_000)
    messages_per_chat_per_second: float = Field(default=1, gt=0, le=1000, allow_inf_nan=False)
    rate_limit_sending: types.Flag = Field(default=True, validation_alias=_also("rate_limit_sending"))
    result_webhook_url: types.EndpointUrl = ""
    result_webhook_secret: types.SigningSecret | None = None
    operator_name: types.OperatorName = ""
    operator_contact: types.OperatorContact = ""
    staff_ids: types.TelegramIds = ""
    desk_key: types.Key | None = None
    api_keys: types.ApiKeys | None = None

    @model_validator(mode="after")
    def _proxy_is_usable(self) -> Self:
        # Another program may need a proxy of another kind, so only a variable that is used is judged.
        try:
            _ = self.proxy
        except ValueError as error:
            raise ValueError(f"{self._proxy_variable.upper()}: {error}, or set TELEGRAM_PROXY or NO_PROXY") from None
        return self

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        if (self.encryption_keys is None) != (self.index_key is None):
            missing = "INDEX_KEY" if self.index_key is None else "ENCRYPTION_KEYS"
            raise ValueError(f"{missing}: ENCRYPTION_KEYS and INDEX_KEY are given together, or neither")
        # The law makes a network identity voluntary, so it is never the only method.
        if not set(self.providers) - {Method.NETID}:
            raise ValueError("PROVIDER_WECHAT, PROVIDER_QQ, PROVIDER_FACE: at least one of them must be on")
        if "http" in self.providers.values() and not (self.provider_url and self.provider_secret):
            missing = "PROVIDER_SECRET" if self.provider_url else "PROVIDER_URL"
            raise ValueError(f"{missing}: the provider http needs PROVIDER_URL and PROVIDER_SECRET")
        if bool(self.result_webhook_url) != (self.result_webhook_secret is not None):
            missing = "RESULT_WEBHOOK_SECRET" if self.result_webhook_url else "RESULT_WEBHOOK_URL"
            raise ValueError(f"{missing}: RESULT_WEBHOOK_URL and RESULT_WEBHOOK_SECRET are given together, or neither")
        if self._mixes_simulated and not self.allow_simulated:
            name = f"PROVIDER_{min(self.simulated_methods)}".upper()
            raise ValueError(
                f"{name}: simulated beside a real provider; set it to off, or ALLOW_SIMULATED to 1 for a test"
            )
        if self.simulated_methods and self.bot_token is not None and not self.on_loopback and not self.allow_simulated:
            raise ValueError(
                "ALLOW_SIMULATED: simulated providers prove nothing; against a real Bot API set it to 1 for a test"
            )
        if not self.on_loopback and self._only_for_tests:
            raise ValueError(f"{self._only_for_tests}: only for a Bot API on this machine")
        if self.webhook_url and not self._has_good_secret:
            raise ValueError("WEBHOOK_SECRET: 16 to 256 characters A-Z a-z 0-9 _ - are needed with WEBHOOK_URL")
        return self

    @model_validator(mode="after")
    def _can_be_reached(self) -> Self:
        if self.bot_token is None or self.on_loopback:
            return self
        addresses = (("PUBLIC_URL", "phones", self.public_url), ("WEBHOOK_URL", "Telegram", self.webhook_url))
        for name, who, url in addresses:
            host = urlsplit(url).hostname or ""
            if url and not is_elsewhere(host):
                raise ValueError(f"{name}: {who} cannot reach {host}; write the public address of the TLS proxy")
        return self

    @model_validator(mode="after")
    def _face_provider_is_usable(self) -> Self:
        kind = self.provider_face
        for name in _NEEDED_SETTINGS.get(kind, ()):
            if not getattr(self, name):
                raise ValueError(f"{name.upper()}: the provider {kind} needs it")
        server = {"tencent": self.tencent_endpoint, "alipay": self.alipay_gateway}.get(kind)
        is_real = server is not None and not is_loopback(urlsplit(server).hostname or "")
        if is_real and not self.public_url.startswith("https://"):
            raise ValueError(f"PUBLIC_URL: the provider {kind} sends phones back to https addresses only")
        if kind == "tencent" and self.qr_ttl > _TENCENT_QR_TTL:
            raise ValueError("QR_TTL: at most 40m with the provider tencent, whose checks end after two hours")
        return self

    @property
    def _has_good_secret(self) -> bool:
        secret = self.webhook_secret
        return secret is not None and bool(re.fullmatch(r"[A-Za-z0-9_-]{16,256}", secret.get_secret_value()))

    @property
    def _only_for_tests(self) -> str:
        """The first setting in use that is only for tests; empty if there is none."""
        used = {
            "CLOCK_OFFSET_FILE": self.clock_offset_file is not None,
            "DIALOGUE_COVERAGE_FILE": self.dialogue_coverage_file is not None,
            "RATE_LIMIT_SENDING": not self.rate_limit_sending,
        }
        return next((name for name, in_use in used.items() if in_use), "")

    @property
    def _mixes_simulated(self) -> bool:
        return bool(self.simulated_methods) and len(self.simulated_methods) < len(self.providers)

    @property
    def bot_id(self) -> int | None:
        """The id of the bot whose token is set."""
        return None if self.bot_token is None else int(self.bot_token.get_secret_value().partition(":")[0])

    @property
    def on_loopback(self) -> bool:
        """Whether the Bot API is on this machine, and so a simulator or a server of tests."""
        return is_loopback(urlsplit(self.bot_api_url).hostname or "")

    @property
    def proxy(self) -> Proxy | None:
        """The proxy through which Telegram is reached; None where it is reached directly."""
        if self.telegram_proxy is not None:
            return parse_proxy(self.telegram_proxy.get_secret_value())
        url: SecretStr | None = getattr(self, self._proxy_variable)
        if url is None or is_bypassed(self.bot_api_url, self.no_proxy):
            return None
        return parse_proxy(url.get_secret_value())

    @property
    def bot_api(self) -> str:
        """The Bot API's address and the proxy, for a message."""
        return self.bot_api_url if self.proxy is None else f"{self.bot_api_url} through the proxy {self.proxy}"

    @property
    def _proxy_variable(self) -> str:
        name = "https_proxy" if self.bot_api_url.startswith("https:") else "http_proxy"
        return "all_proxy" if getattr(self, name) is None else name

    @property
    def providers(self) -> dict[Method, str]:
        """The kind of provider, `simulated`, `http` or a vendor's, of each method that is on."""
        kinds = {Method.WECHAT: self.provider_wechat, Method.QQ: self.provider_qq, Method.FACE: self.provider_face}
        kinds[Method.NETID] = self.provider_netid
        return {method: kind for method, kind in kinds.items() if kind != "off"}

    @property
    def simulated_methods(self) -> frozenset[Method]:
        """The methods whose provider proves nothing."""
        return frozenset(method for method, kind in self.providers.items() if kind == "simulated")

    @property
    def verification_services(self) -> tuple[str, ...]:
        """Who receives names and numbers, for each method: a kind of provider, or the host of `PROVIDER_URL`."""
        host = urlsplit(self.provider_url).hostname or ""
        return tuple(
            host if kind == "http" else kind for method, kind in self.providers.items() if method.takes_identity
        )

    @property
    def operator_url(self) -> str:
        """The address that opens the operator's contact; empty for an e-mail address, which no button can open."""
        if self.operator_contact.startswith("@"):
            return f"https://t.me/{self.operator_contact[1:]}"
        return self.operator_contact if "://" in self.operator_contact else ""

    @property
    def staff(self) -> frozenset[int]:
        """The Telegram ids that may use staff commands."""
        return frozenset(map(int, types.split_list(self.staff_ids)))

    @property
    def api_callers(self) -> tuple[ApiCaller, ...]:
        """The programs that may call the HTTP API."""
        return () if self.api_keys is None else read_callers(self.api_keys.get_secret_value())

    @property
    def proxies(self) -> tuple[str, ...]:
        """The addresses and networks whose X-Forwarded-For is believed."""
        return tuple(types.split_list(self.trusted_proxies))

    @property
    def serves_metrics(self) -> bool:
        """Whether /metrics stands beside the pages: with a key, or where nobody but this machine reaches them."""
        if self.metrics_port is not None:
            return False
        return self.metrics_key is not None or (not self.public_url and is_loopback(self.host))

    @property
    def phone_hosts(self) -> frozenset[str]:
        """The hosts that a provider may redirect phones to: `PROVIDER_REDIRECT_HOSTS`, or else its own host."""
        return frozenset(types.split_list(self.provider_redirect_hosts) or [urlsplit(self.provider_url).netloc.lower()])

    @property
    def store_url(self) -> str:
        """The URL of the database: `DATABASE_URL`, or a SQLite file in `DATA_DIR`."""
        return self.database_url.get_secret_value() or f"sqlite:///{self.data_dir / 'bot.sqlite3'}"


_KNOWN_NAMES = frozenset({*Settings.model_fields, *FORMER_NAMES.values(), *(f"{name}_file" for name in SECRET_FILES)})
_ALSO_LOCAL = frozenset(
    {
        "port",
        "data_dir",
        "qr_ttl",
        "link_ttl",
        "log_format",
        "log_level",
        "language",
        "https_proxy",
        "http_proxy",
        "all_proxy",
        "no_proxy",
        "clock_offset_file",
        "dialogue_coverage_file",
        "rate_limit_sending",
    }
)
"""Settings that people also give to the playground; any other one means that the bot is meant for Telegram."""


def setting_for_telegram(settings: Settings) -> str:
    """Return the name of a setting that only a bot on Telegram needs; empty when there is none."""
    given = settings.model_fields_set - _ALSO_LOCAL
    if settings.store_url.startswith("sqlite:"):
        given -= {"database_url"}
    if is_loopback(settings.host):
        given -= {"host"}
    return min(given, default="").upper()


def load(warn: Callable[[str], object] = lambda _: None) -> Settings:
    """Read the settings; raises `BadSetting`. `warn` gets a line for each former name in use."""
    try:
        check_names(_KNOWN_NAMES)
        given = read_variables()
        settings = Settings.model_validate(_read_secret_files(given) | given)
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False)[0]
        message = first["msg"].removeprefix("Value error, ")
        name = "".join(str(part) for part in first["loc"][:1]).upper()
        raise BadSetting(f"{name}: {message}" if name else message) from None
    except ValueError as error:
        raise BadSetting(str(error)) from None
    # Here and not in the model: the simulation gives its programs a secret, and an address only to some.
    if settings.webhook_secret is not None and not settings.webhook_url:
        raise BadSetting("WEBHOOK_URL: missing, but WEBHOOK_SECRET is set; updates by webhook need both")
    for line in _former_names_in_use(given):
        warn(line)
    return settings
