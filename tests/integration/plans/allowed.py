"""What may read all of a table, or all that an environment or a partition has in it, and why."""

# A row for each partition.
BOUNDED = {"partition_cursor", "relay_position", "activity_progress", "activity_part"}

REPLAY = "verify and rebuild read everything; each environment's rows by an index"
RESET = "an operator's command, run once, that moves all that a partition has"
LISTED = "an operator's command that prints them all"
HOOKS = "looks at every enabled webhook in its turn; an environment has a few"
LAST = "reads one row from the end of the index"

ALLOWED: dict[str, dict[str, str]] = {
    "admin/commands_topic.find_distance": dict.fromkeys(
        ("event_log", "inbox", "dead_letter", "history_horizon"), RESET
    ),
    "admin/commands_topic.find_unpublished": {"event_log": LAST},
    "admin/commands_topic.lower_dead_letters": {"dead_letter": RESET},
    "admin/commands_topic.lower_events": {"event_log": RESET},
    "admin/commands_topic.lower_horizons": {"history_horizon": RESET},
    "admin/commands_topic.lower_inbox": {"inbox": RESET},
    "admin/control.list_environments": {"environment": LISTED},
    "admin/control.list_users": {"app_user": LISTED},
    "composer/recovery/baseline.clear_replayed": dict.fromkeys(
        ("replayed_step", "replayed_pipeline", "replayed_deployment", "replayed_environment_variable"), REPLAY
    ),
    "composer/recovery/baseline.read_horizons": {"history_horizon": REPLAY},
    "composer/recovery/differences.count_resources": dict.fromkeys(
        ("replayed_step", "replayed_pipeline", "replayed_deployment", "replayed_environment_variable"), REPLAY
    ),
    "composer/recovery/differences.list_environments": dict.fromkeys(
        ("environment", "environment_head", "step", "pipeline", "deployment", "environment_variable"), REPLAY
    ),
    "composer/recovery/differences.read_differences": dict.fromkeys(
        (
            *("step", "pipeline", "deployment", "environment_variable"),
            *("replayed_step", "replayed_pipeline", "replayed_deployment", "replayed_environment_variable"),
        ),
        REPLAY,
    ),
    "composer/recovery/differences.read_strange_commands": {"inbox": REPLAY, "event_log": REPLAY},
    "composer/recovery/differences.read_strange_partitions": dict.fromkeys(
        ("event_log", "inbox", "dead_letter"), REPLAY
    ),
    "composer/recovery/replay.read_heads": {"environment_head": REPLAY},
    "composer/recovery/replay.read_places": {"event_log": LAST},
    "composer/recovery/scratch.read_replayed": {"replayed_place": REPLAY},
    "composer/retention/store.delete_strays": {"event_log": "the oldest of an index of strays, some at a time"},
    "kit/dead_letters.list_dead_letters_of_nobody": {"dead_letter": LISTED, "environment": LISTED},
    "kit/lag.read_unpublished": {"event_log": LAST},
    "webhooks/deliveries.are_any": {"webhook": HOOKS},
    "webhooks/deliveries.claim": {"webhook": HOOKS},
    "webhooks/deliveries.count_webhooks_due": {"webhook": HOOKS},
    "webhooks/deliveries.count_pending": {"webhook_delivery": "an index of the pending ones alone, which are bounded"},
    "webhooks/deliveries.find_behind": {"webhook": HOOKS},
    "webhooks/deliveries.oldest_due_s": {"webhook": HOOKS},
}
