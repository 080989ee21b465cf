"""The rules: pure functions from what is so and what is asked to what becomes so. No Kafka, no Postgres, no clock."""
