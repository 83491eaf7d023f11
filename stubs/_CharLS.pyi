"""The extension module of pyjpegls: a shared library, too."""
