"""Wire formats, sans-io: bytes in, values out, and patches back onto the bytes. Items never import each other's formats."""
