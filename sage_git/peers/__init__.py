"""Sockets: git's own protocol between two clones, over TLS 1.3, for keys that were allowed; and who is near in the LAN.

The only package that opens sockets. It neither knows nor starts git: whoever serves gives it a way to start the process
at the other end of a stream (`server.House`).
"""
