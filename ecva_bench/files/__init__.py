"""The files that a data set comes in: videos in folders, zip and parquet archives, and rows in parquet files."""
