"""Our voices, from recordings of a speaker with their texts to a model card: see README.md."""
