"""Voices: what says sentences, whoever made it; the parts of the stage `speak`."""
