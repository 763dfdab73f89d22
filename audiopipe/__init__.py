"""audiopipe: typed, checked, streamable pipelines for audio and speech."""
