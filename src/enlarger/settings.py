"""Every setting, once: this table is the environment, the TOML file, the flags and the reference page.

A setting NAME is read from the variable ENLARGER_NAME, else from `name` in the TOML file that
ENLARGER_CONFIG names, else has the default below.
"""

from __future__ import annotations

import os
import platform
import tomllib
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import (
    BaseSettings,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from enlarger.errors import BadParameter
from enlarger.limits.rule import Rule
from enlarger.money import micros_of
from enlarger.request import MAX_OUTPUT_PIXELS
from enlarger.setting_values import (
    check_credit,
    check_header,
    check_proxies,
    check_rule,
    check_secret,
    check_url,
)

MS_IN_AN_HOUR = 3_600_000
ANSWERS_H = 24.0


class Settings(BaseSettings):
    """Settings of one installation; immutable once read."""

    model_config = SettingsConfigDict(
        env_prefix="ENLARGER_", env_ignore_empty=True, frozen=True, extra="forbid"
    )

    data_dir: Path = Field(
        default_factory=lambda: platformdirs.user_data_path("enlarger"),
        description="Folder for the database, the pictures and the secrets of this installation.",
    )
    models_dir: Path | None = Field(
        None, description="Folder of the model store; `models` in the data folder if not set."
    )
    secrets_dir: Path | None = Field(
        None,
        description="Folder of the secrets that keys are checked and links are signed with; `secrets` in"
        " the data folder if not set. Machines that share a database must share its content.",
    )
    host: str = Field("127.0.0.1", description="Address that the server listens on.")
    port: int = Field(8000, ge=0, le=65535, description="Port; 0 takes a free one and prints it.")
    database_url: str | None = Field(
        None, description="SQLAlchemy URL; `enlarger.db` (SQLite) in the data folder if not set."
    )
    object_store_url: str | None = Field(
        None,
        description="Where pictures are kept: `file:///...`, or `s3://bucket/prefix` with the AWS_*"
        " variables; `objects` in the data folder if not set.",
    )
    public_url: Annotated[str, AfterValidator(check_url)] | None = Field(
        None,
        description="What links to pictures begin with, `https://host` and a path if there is one; the"
        " scheme and host of the request if not set.",
    )
    bootstrap_key: Annotated[SecretStr, AfterValidator(check_secret)] | None = Field(
        None,
        description="Secret, 32 characters or more, of the key `key_bootstrap` that the first start"
        " makes; without it the first start makes a key and prints it once.",
    )
    bootstrap_credit: Annotated[str, AfterValidator(check_credit)] = Field(
        "1000.000000",
        description="Credit of the first workspace in US dollars, or `unlimited`.",
    )
    offline: bool = Field(False, description="Refuse every outbound request: weights, and pictures by URL.")
    threads: int = Field(0, ge=0, description="Processor threads for a network; 0 takes every core.")
    precision: Literal["auto", "f32", "bf16"] = Field(
        "auto", description="Arithmetic of the networks; `auto` is bf16 where the processor has it."
    )
    metadata: Literal["keep", "private", "strip"] = Field(
        "private",
        description="What the server keeps of a picture's metadata: everything, everything but places,"
        " serial numbers and names, or nothing. The colour profile always stays.",
    )
    max_input_pixels: int = Field(
        50_000_000, ge=1, description="Largest picture that the server takes, in pixels."
    )
    max_output_pixels: int = Field(
        MAX_OUTPUT_PIXELS, ge=1, description="Largest result that the server makes, in pixels."
    )
    wait_timeout_s: float = Field(
        290.0, gt=0, description="Seconds that a synchronous request waits for its result."
    )
    job_timeout_s: float = Field(
        900.0,
        gt=0,
        description="Seconds after which an attempt at a job counts as hung and is ended.",
    )
    workers: int = Field(
        1,
        ge=0,
        le=64,
        description="Workers that `enlarger serve` runs here; 0 where other machines run them all.",
    )
    node: str | None = Field(
        None,
        max_length=60,
        description="Name of this machine among those that share a database; its host name if not set.",
    )
    lease_s: float = Field(
        15.0,
        ge=1,
        allow_inf_nan=False,
        description="Seconds after which a worker that was not heard of counts as dead, and its jobs"
        " are taken over.",
    )
    max_jobs: int = Field(
        10_000, ge=1, description="Jobs that may be under way at once; more are refused with 503."
    )
    max_workspace_jobs: int = Field(
        1000,
        ge=1,
        description="Jobs that one workspace may have under way at once, unless it has a limit of its"
        " own; more are refused with 429.",
    )
    job_deadline_s: float = Field(
        3600.0,
        gt=0,
        allow_inf_nan=False,
        description="Seconds after its acceptance by which a job is done, or fails and is not charged.",
    )
    keep_results_h: float = Field(
        24.0,
        gt=0,
        allow_inf_nan=False,
        description="Hours for which the pictures of a job are kept after its end.",
    )
    keep_answers_h: float | None = Field(
        None,
        gt=0,
        allow_inf_nan=False,
        description="Hours for which the answer to an idempotency key is kept, at most as long as pictures;"
        " by default 24, or as long as pictures if that is less.",
    )
    keep_history_d: float = Field(
        30.0,
        gt=0,
        allow_inf_nan=False,
        description="Days for which the row of a job, with its prompt, is kept after its pictures. Usage"
        " records and the ledger are kept for ever.",
    )
    drain_timeout_s: float = Field(
        30.0,
        ge=0,
        allow_inf_nan=False,
        description="Seconds that a stopping server gives the work under way.",
    )
    rate_limit: Annotated[str, AfterValidator(check_rule)] = Field(
        "150/10s",
        description="Requests that a key may send in any span of that length (`s`, `m`, `h`), or `off`;"
        " those that look after one job are not counted.",
    )
    address_rate_limit: Annotated[str, AfterValidator(check_rule)] = Field(
        "1000/10s",
        description="The same for an address (IPv6: a /64 network), whatever it sends, before any key is"
        " looked at.",
    )
    rate_penalty_s: int = Field(
        60, ge=0, le=86_400, description="Seconds that who exceeds a rate limit is refused."
    )
    trusted_proxies: Annotated[str, AfterValidator(check_proxies)] | None = Field(
        None,
        description="Addresses and networks, with commas, whose `X-Forwarded-For` is believed; without it"
        " all that comes through a proxy counts as one address.",
    )
    sign_in_limit: Annotated[str, AfterValidator(check_rule)] = Field(
        "10/15m",
        description="Attempts to sign in, for every e-mail address and for every address that they come"
        " from, or `off`.",
    )
    session_h: float = Field(
        24.0,
        gt=0,
        le=8760,
        allow_inf_nan=False,
        description="Hours after which a member must sign in again.",
    )
    sign_on_header: Annotated[str, AfterValidator(check_header)] | None = Field(
        None,
        description="Header in which a proxy says the e-mail address of a member whom it has let in, such"
        " as `X-Forwarded-Email`. Believed only from `ENLARGER_TRUSTED_PROXIES`; off if not set.",
    )
    require_signature: bool = Field(
        False,
        description="Whether requests to Omixa's API must be signed: `X-Omixa-Timestamp` and"
        " `X-Omixa-Signature`, made with the secret of the API key.",
    )
    max_body_bytes_in_flight: int = Field(
        256 * 2**20,
        ge=1,
        description="Bytes of request bodies that may be under way at once; further requests wait 10 s for"
        " their turn, then get a 503.",
    )
    fetch_urls: Literal["off", "public"] = Field(
        "off",
        description="Whether a picture may be named by URL where a vendor's API has that: `public` fetches"
        " from addresses of the public internet alone.",
    )
    metrics_token: Annotated[SecretStr, AfterValidator(check_secret)] | None = Field(
        None,
        description="Secret, 32 characters or more, that `/metrics` asks for as `Authorization: Bearer`;"
        " without it only this machine itself may read them.",
    )
    log_format: Literal["console", "json"] = Field("console", description="Form of the log lines.")

    @field_validator("keep_answers_h")
    @classmethod
    def _check_that_answers_can_be_given(cls, hours: float | None, info: ValidationInfo) -> float | None:
        longest = info.data.get("keep_results_h")
        if hours is not None and longest is not None and hours > longest:
            # An answer that was never kept is made anew of the picture, for whoever paid and asks again.
            raise ValueError(
                f"is {hours:g}, and must be at most ENLARGER_KEEP_RESULTS_H, {longest:g}: a repeated"
                " request could not be answered without its picture"
            )
        return hours

    @field_validator("sign_on_header")
    @classmethod
    def _check_that_somebody_is_believed(cls, header: str | None, info: ValidationInfo) -> str | None:
        if header is not None and info.data.get("trusted_proxies") is None:
            raise ValueError("needs ENLARGER_TRUSTED_PROXIES, the addresses whose word is taken")
        return header

    @property
    def models_path(self) -> Path:
        """Folder of the model store."""
        return self.models_dir or self.data_dir / "models"

    @property
    def cache_path(self) -> Path:
        """Folder of compiled networks; may be deleted at any time."""
        return self.models_path / ".compiled"

    @property
    def database(self) -> str:
        """SQLAlchemy URL of the database."""
        if self.database_url is not None:
            return self.database_url
        from sqlalchemy import URL

        # Not pasted together: a folder's name may hold what means something in a URL.
        return URL.create("sqlite", database=str(self.data_dir / "enlarger.db")).render_as_string()

    @property
    def limits_database(self) -> str:
        """SQLAlchemy URL for the rate limits: the database itself on Postgres, else a file of its own."""
        if not self.database.startswith("sqlite"):
            return self.database
        from sqlalchemy import URL

        return URL.create("sqlite", database=str(self.data_dir / "limits.db")).render_as_string()

    @property
    def rate_rule(self) -> Rule | None:
        """What a key may send; None is without limit."""
        return Rule.parse(self.rate_limit, self.rate_penalty_s)

    @property
    def address_rate_rule(self) -> Rule | None:
        """What an address may send; None is without limit."""
        return Rule.parse(self.address_rate_limit, self.rate_penalty_s)

    @property
    def sign_in_rule(self) -> Rule | None:
        """Attempts to sign in; None is without limit. Whoever exceeds it waits, and no longer."""
        return Rule.parse(self.sign_in_limit, 0)

    @property
    def session_ms(self) -> int:
        """`session_h` in milliseconds."""
        return round(self.session_h * MS_IN_AN_HOUR)

    @property
    def object_store(self) -> str:
        """URL of the object store."""
        return self.object_store_url or (self.data_dir / "objects").absolute().as_uri()

    @property
    def secrets_path(self) -> Path:
        """Folder of the secrets of this installation."""
        return self.secrets_dir or self.data_dir / "secrets"

    @property
    def pepper_path(self) -> Path:
        """File of the secret that keys are checked with."""
        return self.secrets_path / "key-pepper"

    @property
    def link_keys_path(self) -> Path:
        """Folder of the secrets that links are signed with."""
        return self.secrets_path / "link-keys"

    @property
    def scratch_path(self) -> Path:
        """Folder for pictures on their way through a worker; emptied when one starts."""
        return self.data_dir / "scratch"

    @property
    def bells_path(self) -> Path:
        """Folder of the pipes by which the processes of this machine wake one another."""
        return self.data_dir / "bells"

    @property
    def node_name(self) -> str:
        """Name of this machine among those that share the database."""
        return self.node or platform.node() or "local"

    @property
    def keep_results_ms(self) -> int:
        """`keep_results_h` in milliseconds."""
        return round(self.keep_results_h * MS_IN_AN_HOUR)

    @property
    def keep_answers_ms(self) -> int:
        """`keep_answers_h` in milliseconds, or what it is by default."""
        hours = min(ANSWERS_H, self.keep_results_h) if self.keep_answers_h is None else self.keep_answers_h
        return round(hours * MS_IN_AN_HOUR)

    @property
    def keep_history_ms(self) -> int:
        """`keep_history_d` in milliseconds."""
        return round(24 * self.keep_history_d * MS_IN_AN_HOUR)

    @property
    def bootstrap_credit_micros(self) -> int | None:
        """First credit in micro-credits; None is unlimited."""
        if self.bootstrap_credit == "unlimited":
            return None
        return micros_of(self.bootstrap_credit)

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments first, then the environment, then the TOML file."""
        sources: list[PydanticBaseSettingsSource] = [init_settings, env_settings]
        if config := os.environ.get("ENLARGER_CONFIG"):
            sources.append(_toml(settings_cls, Path(config)))
        return tuple(sources)


def _toml(settings: type[BaseSettings], path: Path) -> TomlConfigSettingsSource:
    if not path.is_file():
        raise BadParameter(f"ENLARGER_CONFIG names {path}, which is no file", param="config")
    try:
        return TomlConfigSettingsSource(settings, path)
    except tomllib.TOMLDecodeError as error:
        raise BadParameter(f"{path} is not TOML: {error}", param="config") from None
