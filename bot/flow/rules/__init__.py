"""The rules of the dialogue, each named for what happened. Rules are pure: they return the next state and the effects.

A rule of an `on_choice` transition gets the event that carried the choice, pressed or typed, and ignores it. Every rule
promises that a step that the person completed is not asked again, and that everything a person does gets a reply.
"""
