"""The spans of time an answer names: `times` are found, paired (`pairs`, `roles`, `columns`) and sifted (`asides`)."""
