"""Text of attached files: PDF, Office, OpenDocument, pictures with writing on them. Runs in a process of its own: files are hostile."""
