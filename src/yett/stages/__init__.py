"""The verbs of a call: each stage takes nouns and returns nouns. The order is in `pipeline.py` and nowhere else."""
