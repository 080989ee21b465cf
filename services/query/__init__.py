"""The query service: reads the projection, tells command results, and exchanges SDK tokens for access tokens."""
