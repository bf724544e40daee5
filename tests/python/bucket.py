"""moto's server on a port: an S3, and a GCS for clients that speak its XML. Run by the Python that has moto."""

import sys

from moto.server import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import run_simple

moto = DomainDispatcherApplication(create_backend_app)
SIGNED = "AWS4-HMAC-SHA256 Credential=key/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


def bucket(environ, start_response):
    """moto wants a signature of S3's kind, though it does not check it; GCS has a bearer token in its place, or none."""
    signed = environ.get("HTTP_AUTHORIZATION", "").startswith("AWS4") or "X-Amz-Signature" in environ["QUERY_STRING"]
    if not signed:
        environ["HTTP_AUTHORIZATION"] = SIGNED
    return moto(environ, start_response)


run_simple("127.0.0.1", int(sys.argv[1]), bucket, threaded=True)
