#!/usr/bin/env bash
# Asks an API by curl: client.sh JOB [NUMBER]. Reads SHOP_BASE_URL alone, and prints what came back as JSON.
set -euo pipefail
ask() { curl --silent --show-error --noproxy '*' "$@"; }
received() { sed 's/.*"received": \([0-9]*\).*/\1/'; }

case $1 in
plain)
    got=$(ask --output /dev/null --write-out '%{http_code}' "$SHOP_BASE_URL/packages/7?view=short")
    made=$(ask --json '{"take": 1}' --write-out ' %{http_code}' "$SHOP_BASE_URL/packages/list")
    echo "{\"statuses\": [$got, ${made##* }], \"received\": $(received <<<"${made% *}")}"
    ;;
many)
    for _ in $(seq "$2"); do printf 'url = "%s"\noutput = /dev/null\n' "$SHOP_BASE_URL/gate/$2"; done |
        ask --parallel --parallel-immediate --parallel-max "$2" --write-out '%{http_code}\n' --config - |
        paste -sd, - | sed 's/.*/{"statuses": [&]}/'
    ;;
down)
    # gzip ends with the CRC-32 and the size
    read -r checksum size < <(ask "$SHOP_BASE_URL/bytes/$2" | gzip -1 | tail -c 8 | od -An -tu4)
    echo "{\"size\": $size, \"checksum\": $checksum}"
    ;;
up)
    head -c "$2" /dev/zero | ask --upload-file - "$SHOP_BASE_URL/take" | received | sed 's/.*/{"size": &}/'
    ;;
esac
