"""The operator's pages and API: who signs in, what they see, what they change."""
