"""The gateway: the command and the query service on one port, for the small deployment."""
