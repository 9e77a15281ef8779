#!/bin/sh
# Fills fuzz/corpus/ with the PDUs of wire/testdata, in octets.
set -e
cd "$(dirname "$0")"
for protocol in smpp cmpp smgp sgip; do
    mkdir -p "corpus/$protocol"
    for file in ../wire/testdata/"$protocol"/*.hex; do
        sed '/^#/d' "$file" | xxd -r -p > "corpus/$protocol/$(basename "$file" .hex)"
    done
done
