"""Compiled kernels: arrays in, arrays out. No checks, no pandas, no user-facing errors.

Array types, everywhere: ``indptr`` int64, ``indices`` int32, probabilities float32, interval bounds uint32, lane rows
uint64. Graph arrays are C-contiguous and read-only, so each kernel compiles once.
"""
