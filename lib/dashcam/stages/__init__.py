"""The five stages, one module each. A stage is a pure function of its inputs: same clip, same models, same bytes."""
