"""The language of Pipeloom: commands, results, the resources they carry, and how they travel over Kafka."""
