"""The whole application, as commands and as a window, against a hospital over real sockets."""
