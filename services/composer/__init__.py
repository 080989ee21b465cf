"""The composer: the only writer of the projection. Commands in, state and event log out, one transaction a batch."""
