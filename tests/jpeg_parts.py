"""The parts of a JPEG, found by a walk of its own: what the product does is judged by it."""


def entropy_coded(jpeg: bytes) -> bytes:
    """From the first SOS marker to EOI, both included: what must be equal in what a camera gave and
    in what an archive holds. ValueError where there is no scan.
    """
    at = 2
    while jpeg[at + 1] != 0xDA:
        if jpeg[at] != 0xFF:
            raise ValueError("no marker where one must be")
        at += 1 if jpeg[at + 1] == 0xFF else 2 + int.from_bytes(jpeg[at + 2 : at + 4], "big")
    return jpeg[at : jpeg.index(b"\xff\xd9", at) + 2]
