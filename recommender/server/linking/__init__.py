"""Which tracks of the catalogue a media server's ids mean."""
