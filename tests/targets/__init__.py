"""Reference targets: real HTTP servers on loopback that answer as the documented systems do.

One process serves one style with a database of its own and can be told to misbehave through
`/__control__/`. They belong to the tests, the demo and the benchmarks, never to the product.
"""
