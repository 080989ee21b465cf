"""Recovery: whether the projection is what the event log says (verify), and making it so (rebuild)."""
