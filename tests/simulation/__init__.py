"""The real composer and relay in a world of which one number decides every event: see docs/reliability.md."""
