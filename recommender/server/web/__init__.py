"""The web page at ``/``: its files, and the sounds and pictures that it shows.

``source`` holds the page's source, and ``built`` what is served, made of it by ``npm run build``.
The page is a client of ``/api/v1`` like any other. It keeps the user's secret to itself and sends
it in a header; elements that load sounds and pictures can send none, and bring the cookie of
`media`, which opens nothing else.
"""
