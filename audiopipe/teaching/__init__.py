"""Own words and sounds from a few examples: a new last layer on a network that stays as it is."""
