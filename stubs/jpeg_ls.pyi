def encode_buffer(
    src: bytes,
    rows: int,
    columns: int,
    samples_per_pixel: int,
    bits_stored: int,
    lossy_error: int = 0,
    interleave_mode: int | None = None,
) -> bytearray: ...
def decode_buffer(src: bytes) -> tuple[bytearray, dict[str, int]]: ...
