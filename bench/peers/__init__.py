"""The bots that ours is measured beside: small programs, each written as its library means it.

Each holds the same conversation and makes the same number of calls. `CALLS` says how many: with fewer than 24 a bot
leaves out those of `walk.OPTIONAL`, the least missed first.
"""
