"""Settings of every service: environment variables `PIPELOOM_SECTION__NAME`, with defaults that work locally."""

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, Field, IPvAnyNetwork, PositiveFloat, SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, EnvSettingsSource, PydanticBaseSettingsSource, SettingsConfigDict

from events.patterns import Pattern
from events.topics import COMMANDS_TOPIC, DAY_MS, DEFAULT_PARTITIONS
from events.wording import fault_of

PREFIX, DELIMITER = "PIPELOOM_", "__"
TOPIC_PREFIX = Pattern(r"^[a-zA-Z0-9._-]{1,100}$", "be 1 to 100 of a-z, A-Z, 0-9, dot, underscore and hyphen")


class KafkaSettings(BaseModel):
    """Where Kafka is and how the topics are laid out."""

    bootstrap_servers: str = "127.0.0.1:9092"
    topic_prefix: Annotated[str, TOPIC_PREFIX] = "pipeloom"
    partitions: int = Field(DEFAULT_PARTITIONS, ge=1, le=1000)
    replication_factor: int = Field(1, ge=1)

    def group(self, service: str, configured: str | None) -> str:
        """Return a service's consumer group: installations that share a Kafka do not share groups."""
        return configured or f"{self.topic_prefix}.{service}"


class PostgresSettings(BaseModel):
    """Where Postgres is. The DSN is a secret: it holds the password."""

    dsn: SecretStr = SecretStr("postgresql://pipeloom@127.0.0.1:5432/pipeloom")
    pool_size: int = Field(10, ge=1, le=100)


class HttpSettings(BaseModel):
    """Where the HTTP applications listen, and how long a request waits for its result."""

    host: str = "127.0.0.1"
    port: int = Field(8000, ge=1, le=65_535)
    result_timeout_s: float = Field(30.0, gt=0)
    body_timeout_s: float = Field(20.0, gt=0, description="How long the body of a request may take to come whole")
    acknowledge_timeout_s: float = Field(8.0, gt=0, description="How long Kafka may take to acknowledge a command")
    public_url: str | None = Field(None, description="Where clients find the API; told by each request when left out")
    max_in_flight: int = Field(
        1000, ge=1, description="Commands under way in one process, until they are answered, before it sheds load"
    )
    max_in_flight_per_environment: int = Field(250, ge=1, description="Most of them that are of one environment")
    turns_per_environment: int = Field(
        8, ge=1, description="Commands of one environment that are worked on at a time while others ask too"
    )
    turns_alone: int = Field(
        64, ge=1, description="Commands of one environment that are worked on at a time while no other asks"
    )
    list_turns_per_environment: int = Field(
        2, ge=1, description="Pages of lists that are read at a time for one environment while others ask too"
    )
    max_streams: int = Field(
        1000, ge=1, description="Most streams of events, and most long polls, that one process holds open"
    )
    max_streams_per_environment: int = Field(250, ge=1, description="Most of them that are of one environment")
    log_requests: bool = Field(False, description="A log line for every request; those that fail by us have one anyway")


class HealthSettings(BaseModel):
    """Where a process answers /livez, /readyz and /metrics; port 0 turns it off."""

    host: str = "127.0.0.1"
    port: int = Field(0, ge=0, le=65_535)


class AuthSettings(BaseModel):
    """How access tokens are signed."""

    signing_key_file: Path = Path(".pipeloom/signing-key.pem")
    access_token_life_s: int = Field(900, ge=60, le=900)


class SecretsSettings(BaseModel):
    """How the secrets of users are kept."""

    key_file: Path = Field(
        Path(".pipeloom/secrets.key"),
        description="Seals the secrets of users; `pipeloom init` creates it. "
        "The same for command, query, gateway, builder and webhooks",
    )


class ObjectsSettings(BaseModel):
    """Where the sources of steps are kept, and how large they may be."""

    location: str = Field(
        ".pipeloom/objects",
        description="A folder, or `s3://BUCKET/PREFIX`; the same for command, query, gateway and builder",
    )
    max_upload_bytes: int = Field(64 * 1024**2, ge=1, description="Most bytes of an uploaded archive")
    max_unpacked_bytes: int = Field(256 * 1024**2, ge=1, description="Most bytes that an archive may unpack to")
    max_members: int = Field(20_000, ge=1, description="Most files and folders in a source")


class ComposerSettings(BaseModel):
    """How the composer reads commands."""

    group_id: str | None = Field(None, description="Consumer group; PREFIX.composer when left out")
    instance_id: str | None = Field(None, description="Unique and lasting name of this process: it restarts at once")
    max_batch: int = Field(500, ge=1, le=5000)
    session_timeout_ms: int = 10_000


class RetentionSettings(BaseModel):
    """For how long commands and their events are kept in Postgres; the composer prunes what is older."""

    keep_days: float | None = Field(
        None,
        ge=COMMANDS_TOPIC.retention_ms / DAY_MS,
        le=36_500,
        description="How long a command is known and its events are kept; for ever when left out",
    )
    batch_events: int = Field(500, ge=1, le=5000, description="About how many events go in one transaction")
    pause_s: float = Field(0.2, ge=0, le=60, description="How long nothing goes after each transaction")
    every_s: float = Field(60.0, ge=1, description="How often it looks for what may go, and how old the oldest row is")


class RelaySettings(BaseModel):
    """How the relay publishes events."""

    max_batch: int = Field(500, ge=1, le=5000)
    poll_interval_s: float = Field(0.5, gt=0, description="How often it looks without having been notified")


class WatchdogSettings(BaseModel):
    """When a process that does not get on ends itself, to be started again by its supervisor."""

    stuck_after_s: float = Field(
        120.0,
        ge=0,
        description="After how long without progress, while work waits and Kafka and Postgres answer, "
        "a process ends itself; 0: never",
    )
    blocked_after_s: float = Field(
        60.0,
        ge=0,
        description="After how long without a sign of life of its event loop a process ends itself; 0: never",
    )


class TracingSettings(BaseModel):
    """Where spans go. The exporter itself reads OpenTelemetry's own variables."""

    exporter: Literal["none", "otlp", "console", "file"] = "none"
    file: Path = Field(
        Path(".pipeloom/traces.jsonl"), description="Where the exporter `file` writes; processes may share it"
    )
    sample_ratio: float | None = Field(
        None,
        ge=0,
        le=1,
        description="Share of the traces begun here that are kept; `OTEL_TRACES_SAMPLER` decides when left out",
    )


class BuilderSettings(BaseModel):
    """What a builder may fetch, and where it works."""

    group_id: str | None = Field(None, description="Consumer group; PREFIX.builder when left out")
    source_roots: list[Path] = []
    allowed_hosts: list[str] = ["github.com", "gitlab.com", "bitbucket.org"]
    ssh_known_hosts_file: Path | None = Field(None, description="Keys of the hosts that are reached by ssh")
    work_dir: Path = Path(".pipeloom/builder")
    timeout_s: float = Field(120.0, gt=0)


class WebhooksSettings(BaseModel):
    """Whom webhooks may call, and how often and how long it is tried."""

    allow_http: bool = Field(False, description="Whether webhooks may have URLs that begin with http://")
    allowed_networks: list[IPvAnyNetwork] = Field(
        [], description="Networks that may be called although they are not public, such as 10.1.0.0/16"
    )
    max_per_environment: int = Field(20, ge=1, description="Most webhooks that an environment may have")
    timeout_s: float = Field(15.0, gt=0, le=120, description="How long an attempt may take in all")
    retry_delays_s: list[PositiveFloat] = Field(
        [5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400],
        description="How long to wait before each further attempt; when all of them have failed, the delivery has",
    )
    disable_after_s: float = Field(
        432_000, gt=0, description="A webhook is disabled when nothing but failures came of it for so long"
    )
    max_pending: int = Field(1000, ge=1, description="Most deliveries that wait for one webhook; further events wait")
    concurrency: int = Field(64, ge=1, description="Most attempts under way in one process")
    concurrency_per_webhook: int = Field(4, ge=1, description="Most attempts under way for one webhook")
    keep_s: float = Field(604_800, gt=0, description="How long deliveries are kept in the log after their last attempt")
    poll_interval_s: float = Field(1.0, gt=0, le=10, description="How often it looks without having been notified")


class MonitorSettings(BaseModel):
    """What the monitor calls overdue, and how much it keeps."""

    group_id: str | None = Field(None, description="Consumer group; PREFIX.monitor when left out")
    instance_id: str | None = Field(None, description="Unique and lasting name of this process: it restarts at once")
    overdue_after_s: float = Field(30.0, gt=0, description="After how long without a result a command is overdue")
    keep_minutes: int = Field(180, ge=1, le=1440, description="For how many minutes it keeps numbers")
    every_s: float = Field(2.0, gt=0, le=10, description="How often it saves, measures and tells")


class _Environment(EnvSettingsSource):
    """The environment; what should be JSON and is not is left to the validation, which says where it stands."""

    def decode_complex_value(self, field_name: str, field: FieldInfo, value: Any) -> Any:
        try:
            return super().decode_complex_value(field_name, field, value)
        except ValueError:
            return value


class Settings(BaseSettings):
    """All settings. A service reads the sections it needs."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_nested_delimiter=DELIMITER)

    kafka: KafkaSettings = KafkaSettings()
    postgres: PostgresSettings = PostgresSettings()
    http: HttpSettings = HttpSettings()
    health: HealthSettings = HealthSettings()
    auth: AuthSettings = AuthSettings()
    secrets: SecretsSettings = SecretsSettings()
    objects: ObjectsSettings = ObjectsSettings()
    composer: ComposerSettings = ComposerSettings()
    retention: RetentionSettings = RetentionSettings()
    relay: RelaySettings = RelaySettings()
    builder: BuilderSettings = BuilderSettings()
    webhooks: WebhooksSettings = WebhooksSettings()
    monitor: MonitorSettings = MonitorSettings()
    watchdog: WatchdogSettings = WatchdogSettings()
    tracing: TracingSettings = TracingSettings()
    log_format: Literal["console", "json"] = "console"

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,  # noqa: ARG003 - the name is pydantic's
        dotenv_settings: PydanticBaseSettingsSource,  # noqa: ARG003
        file_secret_settings: PydanticBaseSettingsSource,  # noqa: ARG003
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Take what a caller gives, then the environment."""
        return init_settings, _Environment(settings_cls)


class UnusableSettingsError(ValueError):
    """Variables whose values cannot be used; the message is a sentence that names each."""


def load_settings() -> Settings:
    """Return the settings of the environment. Raises UnusableSettingsError."""
    try:
        return Settings()
    except ValidationError as error:
        faults = "; ".join(f"{_variable(each['loc'])}: {_fault(each)}" for each in error.errors())
        raise UnusableSettingsError(f"the settings cannot be used: {faults}") from error


def _variable(location: tuple[int | str, ...]) -> str:
    return PREFIX + DELIMITER.join(str(part).upper() for part in location[:2])


def _fault(error: Any) -> str:
    fault = fault_of(error)
    return f'{fault}, as JSON, such as ["one", "two"]' if error["type"] == "list_type" else fault
