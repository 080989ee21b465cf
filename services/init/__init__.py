"""Prepares an installation: migrations, topics and the signing key. Running it again changes nothing."""
