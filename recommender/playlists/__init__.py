"""Playlists: files in the formats of players, and stored ones that are made anew from recipes."""
