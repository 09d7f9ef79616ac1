"""`Dataset`: the verbs of `tf.data` over Grain."""
