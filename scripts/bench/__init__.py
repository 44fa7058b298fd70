"""The benchmarks 性能基准: each a ratio measured in one run, so that it means the same on any machine.

A new benchmark is one file with a function ``run(folder, small) -> list[Outcome]``, named in ``__main__.BENCHMARKS``.
"""
