"""Prepares an installation: migrations, topics and the keys. Running it again changes nothing."""
