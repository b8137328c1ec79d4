#!/bin/sh
#
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Makes the certificates of the fake provider in a directory:
#
#     certs.sh DIR
#
# ca.crt signs good (prov.test, localhost, 127.0.0.1), expired, notyet and
# wronghost; another authority signs unknownca; selfsigned signs itself.

set -eu

dir=$1
mkdir -p "$dir"
cd "$dir"

command -v openssl > /dev/null || {
    echo "certs.sh: openssl is needed" >&2
    exit 1
}

good="DNS:prov.test,DNS:*.prov.test,DNS:localhost,IP:127.0.0.1"

key() {
    openssl ecparam -name prime256v1 -genkey -noout -out "$1.key" 2> /dev/null
}

# authority NAME

authority() {
    key "$1"
    openssl req -new -x509 -key "$1.key" -sha256 -days 3650 \
        -subj "/CN=Test $1" -out "$1.crt" 2> /dev/null
    : > "$1.db"
    echo 01 > "$1.srl"
    cat > "$1.cnf" << END
[ca]
default_ca = one
[one]
database = $1.db
serial = $1.srl
new_certs_dir = .
certificate = $1.crt
private_key = $1.key
default_md = sha256
policy = any
copy_extensions = copy
unique_subject = no
[any]
commonName = supplied
END
}

# leaf AUTHORITY NAME ALTNAMES START END

leaf() {
    key "$2"
    openssl req -new -key "$2.key" -subj "/CN=$2" \
        -addext "subjectAltName=$3" -out "$2.csr" 2> /dev/null
    openssl ca -batch -config "$1.cnf" -in "$2.csr" -out "$2.crt" -notext \
        -startdate "$4" -enddate "$5" 2> /dev/null
}

authority ca
authority other

leaf ca good "$good" 20200101000000Z 20491231000000Z
leaf ca expired "$good" 20200101000000Z 20210101000000Z
leaf ca notyet "$good" 20480101000000Z 20491231000000Z
leaf ca wronghost "DNS:wrong.test" 20200101000000Z 20491231000000Z
leaf other unknownca "$good" 20200101000000Z 20491231000000Z

key selfsigned
openssl req -new -x509 -key selfsigned.key -sha256 -days 3650 \
    -subj "/CN=prov.test" -addext "subjectAltName=$good" \
    -out selfsigned.crt 2> /dev/null
