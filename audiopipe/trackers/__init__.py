"""The ways to find a pitch: the parts that the stage `pitch` is made of."""
