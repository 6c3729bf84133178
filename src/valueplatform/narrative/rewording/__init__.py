"""Optional rewording by a language model: off unless an address is set, and never trusted.

`draft` is what a model sees and answers: a sentence with the numbers taken out. `acceptance` decides whether an answer
says the same. `model` asks one (any OpenAI-compatible address); `store` keeps answers; `run` is the worker's step.
"""
