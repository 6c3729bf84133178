"""Settings of one process, read once from the environment at the edge and passed on by argument."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import platformdirs

from valueplatform.core.errors import InstallationError


def default_data_dir() -> Path:
    return Path(platformdirs.user_data_dir("valueplatform", appauthor=False))


@dataclass(frozen=True, slots=True)
class RewordingSettings:
    """Where a language model is asked to reword sentences: the address before `/chat/completions`."""

    url: str
    model: str
    key: str | None = field(default=None, repr=False)

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "RewordingSettings | None":
        """None where no address is set. Raises InstallationError."""
        env = os.environ if environ is None else environ
        url, model = env.get("VALUEPLATFORM_REWORDING_URL"), env.get("VALUEPLATFORM_REWORDING_MODEL")
        if not url:
            return None
        if not url.startswith(("https://", "http://")):
            raise InstallationError(f"VALUEPLATFORM_REWORDING_URL is {url!r}; it must begin with https:// or http://.")
        if not model:
            raise InstallationError(
                "VALUEPLATFORM_REWORDING_URL is set; set VALUEPLATFORM_REWORDING_MODEL to a model's name."
            )
        return cls(url.rstrip("/"), model, env.get("VALUEPLATFORM_REWORDING_KEY") or None)


@dataclass(frozen=True, slots=True)
class Settings:
    """Where the database is, and how the product is reached.

    `database_url` is None where the embedded PostgreSQL of `data_dir` is to be used. `role_urls` may give a role
    a login of its own (`DATABASE_URL_WEB`, `DATABASE_URL_INGEST`, `DATABASE_URL_WORKER`, `DATABASE_URL_OWNER`);
    a role without one is taken by `SET ROLE`. `public_url` is where browsers reach the product. `private_webhooks`:
    webhooks may go to this machine and the network around it. The mail server stands in `core.smtp`.
    """

    database_url: str | None
    data_dir: Path
    role_urls: Mapping[str, str] = field(default_factory=dict)
    public_url: str = "http://127.0.0.1:8000"
    private_webhooks: bool = False

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] | None = None) -> "Settings":
        env = os.environ if environ is None else environ
        data_dir = env.get("VALUEPLATFORM_DATA_DIR")
        names = ("owner", "ingest", "worker", "web")
        urls = {name: env[f"DATABASE_URL_{name.upper()}"] for name in names if f"DATABASE_URL_{name.upper()}" in env}
        return cls(
            database_url=env.get("DATABASE_URL") or None,
            data_dir=Path(data_dir) if data_dir else default_data_dir(),
            role_urls=urls,
            public_url=env.get("VALUEPLATFORM_PUBLIC_URL", "http://127.0.0.1:8000").rstrip("/"),
            private_webhooks=env.get("VALUEPLATFORM_PRIVATE_WEBHOOKS", "").lower() in {"1", "true", "yes", "allow"},
        )
