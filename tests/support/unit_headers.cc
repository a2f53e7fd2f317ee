// Nothing of its own: the target that carries the unit tests' precompiled headers needs a source.
