"""Settings, from the environment (``TIMEBANK_…``); see CONTRACT: nothing else configures the bank."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

SHORTEST_SECRET = 32


class SettingsRefused(Exception):
    """The bank cannot start like this; the message is for the person at the terminal."""


class Settings(BaseSettings):
    """What the environment says."""

    model_config = SettingsConfigDict(env_prefix="TIMEBANK_", env_ignore_empty=True)

    home: Path = Path("var")
    database_url: str | None = None
    host: str = "127.0.0.1"
    port: int = Field(default=8000, ge=0, le=65535)
    env: Literal["development", "production"] = "development"
    wechat_base_url: str | None = None
    wechat_appid: str = "wx-development"
    wechat_secret: str = "development"
    wechat_template_id: str = "timebank-notice"
    secret_key: str | None = None

    @property
    def development(self) -> bool:
        """Whether demo people, the fake WeChat and the movable clock are on."""
        return self.env == "development"

    @property
    def clock_file(self) -> Path:
        """Where a moved development clock keeps its offset."""
        return self.home / "clock-offset"

    def secret(self) -> str:
        """The secret of this bank; in development one is made and kept in the home. Raises SettingsRefused."""
        if self.secret_key:
            return self.secret_key
        file = self.home / "secret-key"
        if not file.exists():
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
        return file.read_text().strip()


def read_settings() -> Settings:
    """Read and check the environment. Raises SettingsRefused with one sentence for each thing that is wrong."""
    try:
        settings = Settings()
    except ValidationError as wrong:
        named = "; ".join(f"TIMEBANK_{str(e['loc'][0]).upper()}: {e['msg']}" for e in wrong.errors())
        raise SettingsRefused(f"设置有误 Settings are wrong: {named}") from None
    settings.home = settings.home.absolute()
    if settings.secret_key is not None and len(settings.secret_key) < SHORTEST_SECRET:
        raise SettingsRefused(
            f"TIMEBANK_SECRET_KEY 太短 is too short: at least {SHORTEST_SECRET} characters are needed"
        )
    if not settings.development:
        _check_production(settings)
    return settings


def _check_production(settings: Settings) -> None:
    given = settings.model_fields_set
    needed = ("database_url", "secret_key", "wechat_base_url", "wechat_appid", "wechat_secret")
    missing = [f"TIMEBANK_{name.upper()}" for name in needed if name not in given]
    if missing:
        raise SettingsRefused(f"生产环境缺少设置 Production needs these settings: {', '.join(missing)}")
