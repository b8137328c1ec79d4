#!/bin/sh
# Copyright (C) the ngx_http_ai_gateway_module authors
#
# Answers and requests through the hub, judged by oracle.py and ask.py.  With
# MARKDOWN=FILE the matrix is written there too.

. "$(dirname "$0")/../tools/lib.sh"

command -v python3 >/dev/null || die "no python3, please install it"

PYTHONDONTWRITEBYTECODE=1
export OBJS PYTHONDONTWRITEBYTECODE

status=0

python3 "$root/t/hub/run.py" ${MARKDOWN:+--markdown "$MARKDOWN"} || status=1
python3 "$root/t/hub/requests.py" --recorded || status=1
python3 "$root/t/hub/restore.py" || status=1
python3 "$root/t/hub/turns.py" || status=1

exit $status
