"""The files of annotation tools, each read and written right to the frame: Label Studio, VIA 3, ELAN."""
