"""What the services share: settings, Kafka, Postgres, authentication, problems, health and the process around them."""
