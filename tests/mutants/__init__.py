"""Mutation testing: small faults are planted in our code, one at a time, and each must fail a test.

`make mutants` draws a seeded sample per package and prints the rate of each module. What survives for a good reason is
named in `equivalent.toml`. `docs/decisions/0017-mutation-testing.md` says why it is built this way.
"""
