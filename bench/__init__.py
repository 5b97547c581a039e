"""What a call costs: Yett with every control on, beside nginx and LiteLLM, under one load generator. Run by `make bench`."""
