"""From a query to a list of tracks that sound alike."""
