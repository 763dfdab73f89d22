"""Any voice to any voice, from recordings of many people to a model card: see README.md."""
