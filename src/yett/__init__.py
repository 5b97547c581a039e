"""Yett: the security control plane for LLM and agent traffic."""

__version__ = "0.1.0"
