"""Settings, from the environment (``TIMEBANK_…``); see CONTRACT: nothing else configures the bank."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict
from sqlalchemy import make_url
from sqlalchemy.exc import ArgumentError

SHORTEST_SECRET = 32
FEWEST_CHARACTERS = 8
"""Different ones in a secret: a key typed in a row is long, and guessed all the same."""

CONNECTIONS = 10
"""To the database, of one server process. Of its requests those that wait for each other's batch need none."""

WECHAT = "https://api.weixin.qq.com"
_DRIVER = "postgresql+psycopg"
_NEEDED_IN_PRODUCTION = ("secret_key", "wechat_appid", "wechat_secret")


class SettingsRefused(Exception):
    """The bank cannot start like this; the message is for the person at the terminal."""


class Settings(BaseSettings):
    """What the environment says."""

    model_config = SettingsConfigDict(env_prefix="TIMEBANK_", env_ignore_empty=True)

    home: Path = Path("var")
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=1, le=65535)
    env: Literal["development", "production"] = "development"
    wechat_base_url: str | None = None
    wechat_appid: str = "wx-development"
    wechat_secret: str = "development"
    wechat_template_id: str | None = None
    secret_key: str | None = None
    gather_most: int = Field(default=64, ge=1, le=1000)
    gather_queue: int = Field(default=64, ge=0, le=1000)

    @property
    def development(self) -> bool:
        """Whether demo people, the fake WeChat and the movable clock are on."""
        return self.env == "development"

    @property
    def threads(self) -> int:
        """How many requests one server process has in hand: a full batch, a full queue, and a few of other kinds."""
        return self.gather_most + self.gather_queue + CONNECTIONS

    @property
    def clock_file(self) -> Path:
        """Where a moved development clock keeps its offset."""
        return self.home / "clock-offset"

    def secret(self) -> str:
        """The secret of this bank; in development one is made and kept in the home. Raises SettingsRefused."""
        if self.secret_key:
            return self.secret_key
        file = self.home / "secret-key"
        try:
            if not file.exists():
                self._make_secret(file)
            secret = file.read_text().strip()
        except OSError as problem:
            raise SettingsRefused(f"{file} 不能读写 cannot be read or made: {problem.strerror}") from None
        if _is_weak(secret):
            # Another one in its place would leave everything that was sealed with the old one unreadable.
            raise SettingsRefused(f"{file} 已损坏 is damaged: put the secret of this bank back 请恢复原来的密钥")
        return secret

    def _make_secret(self, file: Path) -> None:
        self.home.mkdir(parents=True, exist_ok=True)
        draft = file.with_name(f"secret-key.{secrets.token_hex(4)}")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        try:
            # A link never replaces: whoever is first decides, and everybody reads the same secret.
            file.hardlink_to(draft)
        except FileExistsError:
            pass
        finally:
            draft.unlink()


def read_settings() -> Settings:
    """Read and check the environment. Raises SettingsRefused with one sentence for each thing that is wrong."""
    try:
        settings = Settings()
    except ValidationError as wrong:
        named = "; ".join(f"TIMEBANK_{str(e['loc'][0]).upper()}: {e['msg']}" for e in wrong.errors())
        raise SettingsRefused(f"设置有误 Settings are wrong: {named}") from None
    settings.home = settings.home.absolute()
    if settings.database_url is not None:
        settings.database_url = _database_url(settings.database_url)
    if settings.secret_key is not None and _is_weak(settings.secret_key):
        raise SettingsRefused(
            f"TIMEBANK_SECRET_KEY 太弱 is too weak: at least {SHORTEST_SECRET} characters, "
            f"{FEWEST_CHARACTERS} different ones among them, are needed"
        )
    if not settings.development:
        _check_production(settings)
    return settings


def _is_weak(secret: str) -> bool:
    return len(secret) < SHORTEST_SECRET or len(set(secret)) < FEWEST_CHARACTERS


def _database_url(given: str) -> str:
    """The URL for our driver; ``postgres://`` and ``postgresql://``, as everybody writes them, are taken too."""
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):
        url = None
    if url is None or url.drivername not in ("postgres", "postgresql", _DRIVER):
        # What was given is not repeated: a password may stand in it.
        raise SettingsRefused("TIMEBANK_DATABASE_URL 不是 is not of the form postgresql://USER:PASSWORD@HOST/DATABASE")
    return url.set(drivername=_DRIVER).render_as_string(hide_password=False)


def _check_production(settings: Settings) -> None:
    missing = [f"TIMEBANK_{name.upper()}" for name in _NEEDED_IN_PRODUCTION if name not in settings.model_fields_set]
    if missing:
        raise SettingsRefused(f"生产环境缺少设置 Production needs these settings: {', '.join(missing)}")
    if settings.wechat_base_url is None:
        settings.wechat_base_url = WECHAT
