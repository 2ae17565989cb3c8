"""`ullage serve`: what is known, over HTTP, on a loopback address or a Unix socket."""
