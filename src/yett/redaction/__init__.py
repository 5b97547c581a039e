"""Reversible redaction: values leave as stable tokens or made-up values, and come back only in the answer to their own call."""
