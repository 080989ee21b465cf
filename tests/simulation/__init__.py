"""The composer and the relay as they are, in a world of which one number decides every event: see docs/reliability.md."""
