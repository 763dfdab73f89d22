"""The parts of the stage `separate`: a file for each family of networks, and what they share."""
