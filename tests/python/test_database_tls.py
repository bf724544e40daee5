"""PostgreSQL on a network, where nothing goes unencrypted and the server proves who it is."""

import datetime
import ipaddress
import subprocess

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from conftest import BEIRA, Postgres, Server, free_port


class Authority:
    """Signs certificates; its own is in `root`."""

    def __init__(self, folder, name):
        self.folder, self.key = folder, ec.generate_private_key(ec.SECP256R1())
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.root = folder / f"{name}.pem"
        authority = x509.BasicConstraints(ca=True, path_length=None)
        self.write(self.root, self.certificate(self.name, self.key, authority))

    def certificate(self, subject, key, *extensions):
        now = datetime.datetime.now(datetime.timezone.utc)
        builder = x509.CertificateBuilder().subject_name(subject).issuer_name(self.name).public_key(key.public_key())
        builder = builder.serial_number(x509.random_serial_number())
        builder = builder.not_valid_before(now).not_valid_after(now + datetime.timedelta(hours=1))
        for extension in extensions:
            builder = builder.add_extension(extension, critical=False)
        return builder.sign(self.key, hashes.SHA256())

    def server(self, host):
        """Files of a certificate and its key."""
        key, subject = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
        names = x509.SubjectAlternativeName([host])
        self.write(self.folder / "server.pem", self.certificate(subject, key, names))
        pem = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        (self.folder / "server.key").write_bytes(pem)
        return self.folder / "server.pem", self.folder / "server.key"

    @staticmethod
    def write(path, certificate):
        path.write_bytes(certificate.public_bytes(Encoding.PEM))


@pytest.fixture
def known(tmp_path):
    return Authority(tmp_path, "known")


@pytest.fixture
def address(known):
    """Of a PostgreSQL at 127.0.0.1 whose certificate is for that address."""
    port = free_port()
    postgres = Postgres(*known.server(x509.IPAddress(ipaddress.ip_address("127.0.0.1"))), port)
    yield f"postgres://postgres@127.0.0.1:{port}/postgres"
    postgres.end()


def test_a_server_that_proves_who_it_is(tmp_path, known, address):
    server = Server(tmp_path, f"{address}?sslmode=verify-full&sslrootcert={known.root}").start()
    server.stop()


def test_what_cannot_be_trusted_is_told_at_once(tmp_path, known, address):
    stranger = Authority(tmp_path, "stranger")

    def check(code, query, *words):
        arguments = ["--port", "0", "--db", f"{address}?{query}", "--artifacts", tmp_path / "artifacts"]
        done = subprocess.run([BEIRA, "serve", *arguments], capture_output=True, text=True, timeout=60)
        assert done.returncode == code, done.stderr
        assert all(word in done.stderr for word in words), done.stderr

    check(1, f"sslmode=verify-full&sslrootcert={stranger.root}", "certificate")
    check(1, "sslmode=disable", "no encryption")
    check(2, f"sslmode=verify-full&sslrootcert={tmp_path / 'nobody.pem'}", "sslrootcert", "nobody.pem: No such file")
