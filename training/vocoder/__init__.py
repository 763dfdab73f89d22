"""Our vocoder, from recordings to a model card: see README.md."""
