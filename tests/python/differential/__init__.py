"""The same requests to a real MLflow and to Beira: status, error code and body compared, every difference listed.

`conversation` holds what is asked, `wanted` the differences that stay, with their reasons.
"""
