"""What runs in the process of either package while a program is watched.

It imports numpy and the package that is watched, nothing of minikeras: the process of
real Keras holds real Keras alone. `__main__` runs a program there; `minikeras run` does
it here.
"""
