"""What a supervisor and the process that it starts agree on; apart, so that a supervisor loads nothing else."""

LAST_END = "PIPELOOM_LAST_END"
"""The variable in which a supervisor may say why the process before this one ended."""
