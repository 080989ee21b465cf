"""The relay: publishes the event log to the events topic, each event once and in order."""
