"""The dialogue as a pure machine: a state and an event in, the next state and what to do out.

Nothing here knows Telegram, a clock, a database or a language: texts are keys, times and ids are arguments, and what is
to be done is returned as effects (`effects`), whose answers come back as events (`events`). `table` is the whole of it
on one screen, `machine.advance` reads it, `prompts` holds each state's own question.
"""
