"""All requests, in the order in which they are sent: later ones build on what earlier ones made."""

from differential import experiments, registry, runs, search, traces

CONVERSATION = [*experiments.REQUESTS, *runs.REQUESTS, *search.REQUESTS, *registry.REQUESTS, *traces.REQUESTS]
