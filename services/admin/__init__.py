"""The admin commands: environments, users and SDK tokens, written straight to Postgres as control data."""
