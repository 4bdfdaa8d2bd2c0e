"""The kernels over whole arrays: columns in, outputs of the same length out.

Pure functions on finite float64 arrays, called through ``Indicator.batch``, which takes
bad rows out beforehand. Each gives what its stream gives: window sums in the stream's
own order, recursions to within a few units in the last place. They load numpy, so only
the inside of a batch may import them.
"""
