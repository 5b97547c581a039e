"""The nouns of Yett: frozen values, one file each, that travel through the pipeline and know nothing of I/O."""
