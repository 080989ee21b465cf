"""The command service: takes commands over HTTP, publishes them and waits for their results."""
