"""The HTTP server: similarity for players, and an interface for programs.

`app.create_app` makes the application of `settings.ServerSettings`; `serving.serve` runs it. What
answers is one `state.ServerState` per process, which holds one `SimilarityService`. Nothing here is
imported by other packages; the libraries come with the extra ``serve``.
"""
