"""A real Kafka, a real Postgres and the services on this machine, without Docker."""
