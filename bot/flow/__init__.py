"""The dialogue as a pure state machine: from a state and an event it computes the next state and the effects.

Nothing here knows Telegram, a clock, a database or a language. Texts are keys; times and ids are arguments. What is to
be done is returned as effects (`effects`); the answers to effects come back as events (`events`). `table` lists every
transition, `machine.advance` applies them, and `prompts` holds the question of each state.
"""
