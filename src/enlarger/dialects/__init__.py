"""Other people's APIs, each a package: parse, call the service, render. No logic of our own.

A new vendor is a new package here with `create_app(service) -> FastAPI` and a line in
`server/doors.py`. A dialect never imports another.
"""
