"""PandaGPT: ImageBind's vision half before Vicuna."""
