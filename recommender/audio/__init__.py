"""From a sound file to samples and tags."""
