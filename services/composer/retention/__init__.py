"""Retention: what is old and needed by nobody leaves the event log and the inbox, and a baseline stands for it."""
