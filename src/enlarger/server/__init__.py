"""Assembles the HTTP server and keeps its processes alive."""
