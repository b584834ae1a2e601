"""Arrays, names, files and terminal text: no knowledge of music."""
