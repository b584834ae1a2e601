"""The catalogue as an OpenSubsonic server, and a proxy before another one.

Written from OpenSubsonic's public specification. Ids of songs are those of the catalogue; those of
albums and artists are digests of their names (`server.music_library`).
"""
