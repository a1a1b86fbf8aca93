"""The version of this package: part of every signature, so that figures of two versions are told apart."""

__version__ = "0.1.0"
