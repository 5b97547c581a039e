"""How often inspection is right: measured on labelled texts, published in docs/detection.md, guarded by a test."""
