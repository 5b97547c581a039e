"""The only sockets: the listener, the upstream client, the admin port."""
