"""The SIPS model: parameters, kernels' program, live edges, results, priors."""
