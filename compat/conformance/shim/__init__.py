"""Lets Keras's own tests import a package that has only Keras's public names.

`imports.install(target, suite)` makes `keras`, `keras.src` and everything below them
importable. Such a module is a facade: it is empty, and a name in it is resolved on first
use. The suite is a complete `keras/src` tree, so "what is keras.src.a.b.name?" has an
exact answer: its source is read, and never run. A name is one of these:

  export     its definition carries @keras_export("keras.x.y"): the target's x.y
  constant   a literal, such as a table of dtypes: its value
  operation  a private Operation class that a public function creates: an adaptor
  backend    a private function that has a public name in ops, random or config
  rewritten  one of a few helpers, written again on public names (`rewritten.py`)
  private    anything else: a placeholder, whose use raises PrivateKerasAPI

Only test files, `keras/src/testing/` and the modules in `resolver.RUN` are run.
"""
