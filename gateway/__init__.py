"""The gateway: a daemon that carries the meters' records to the head-end and the acknowledgements back."""
