"""The rules of the dialogue, each named for what happened. They decide and return; they do nothing.

A rule of a row `pick` gets whatever event carried the choice and ignores it. What every rule keeps: a step that the
person completed is not asked again, and an answer of any kind is given to everything a person does.
"""
