"""What the webhooks tell of themselves to Prometheus."""

from prometheus_client import Counter, Gauge, Histogram

ATTEMPTS = Counter(
    "pipeloom_webhook_attempts_total", "Attempts to deliver an event: delivered, retried, failed, postponed", ["result"]
)
ATTEMPT_SECONDS = Histogram("pipeloom_webhook_attempt_seconds", "How long an attempt to deliver an event took")
OLDEST_DUE = Gauge(
    "pipeloom_webhook_oldest_due_seconds", "For how long a delivery has been due of a webhook that does not fail"
)
PENDING = Gauge("pipeloom_webhook_deliveries_pending", "Deliveries that wait for an attempt, of all processes together")
DISABLED = Counter("pipeloom_webhooks_disabled_total", "Webhooks that were disabled because nothing but failures came")

for _result in ("delivered", "retried", "failed", "postponed"):
    ATTEMPTS.labels(_result)  # begins at 0, so that an increase is seen
