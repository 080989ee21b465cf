"""What composer and relay rely on, held by real Kafka and Postgres and by the simulated ones alike."""
