"""The monitor: a rebuildable view of both topics, never the truth."""
