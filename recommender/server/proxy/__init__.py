"""A proxy before a Subsonic server that answers, from the catalogue, what sounds alike."""
