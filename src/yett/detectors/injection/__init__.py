"""Prompt injection and jailbreak: what the text says (`rules`) and how it reads (`model`)."""
