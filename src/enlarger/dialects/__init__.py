"""Other people's APIs, each a package: parse, call the service, render. No logic of our own.

A new vendor is a new package here with `create_app(service) -> FastAPI` and
`render_error(request, error) -> Response`, its paths in `server/doors.py`, and a place in
`server/app.py`. A dialect never imports another.
"""
