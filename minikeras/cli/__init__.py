"""The command line: `minikeras inspect`, `minikeras convert`."""
