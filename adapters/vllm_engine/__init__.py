"""A model run by vLLM in this process, as `vllm:ID`, and how to serve one."""
