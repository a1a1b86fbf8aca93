"""TimeChat: frames read beside their seconds, then windows of frames."""
