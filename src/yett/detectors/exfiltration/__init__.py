"""Exfiltration: ways in which an answer or a tool call can carry data out to somebody else."""
