"""Setting the scanner up: it is learnt from three scans."""
