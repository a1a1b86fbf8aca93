"""Our questions as tasks of other harnesses, which ask the model: inspect calls us, lmms-eval is given a folder.

Both name each question by the id of its sample, so that `import` joins their logs exactly and `score` scores them as
any run. `questions` has what both ask, `inspect_task` is an extension of inspect, `lmms_eval` writes the folder.
"""
