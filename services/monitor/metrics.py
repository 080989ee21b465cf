"""What the monitor tells Prometheus. Labels are parts, partitions and fixed reasons: never names."""

from prometheus_client import Counter, Gauge, Histogram

RECORDS = Counter("pipeloom_monitor_records_total", "Records that the monitor has read", ["topic"])
UNREADABLE = Counter(
    "pipeloom_monitor_unreadable_records_total", "Records that are none of ours, by reason", ["topic", "reason"]
)
ENVIRONMENTS = Gauge("pipeloom_monitor_environments", "Environments that the monitor keeps numbers of")
OPEN = Gauge("pipeloom_monitor_open_commands", "Commands without a result")
OVERDUE = Gauge("pipeloom_monitor_overdue_commands", "Commands that have had no result for too long")
NOTICES = Counter("pipeloom_monitor_notices_total", "Notices on the activity topic", ["type"])
BEHIND = Gauge("pipeloom_part_behind_records", "Records that a part has not worked off", ["part", "partition"])
SAVE_SECONDS = Histogram("pipeloom_monitor_save_seconds", "How long it took to save what had changed")
