"""The tests mirror the tree; `contracts` holds one suite per port, run over every implementation."""
