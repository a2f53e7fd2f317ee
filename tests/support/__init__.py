"""Helpers for system tests, which run inside a world (scripts/world). Standard library only.

    case     WorldTest: the base of a test, with files, services, logs and the queue at hand
    smtp     a client that says exactly the bytes a test wants
    server   a server that follows a script, on any host of the world
    wait     waiting for conditions, never for time to pass
"""
