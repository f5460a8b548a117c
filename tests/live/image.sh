#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# tests/live/image.sh VGRID FOLDER: builds the guest image `tiny` for all live tests, as the user
# that they run as, into FOLDER/images; and again only after its recipe or its program has changed.
set -euo pipefail
vgrid=$(realpath "$1") folder=$2
here=$(dirname "$(realpath "$0")")
mkdir -p "$folder"
folder=$(realpath "$folder")
key=$(find -L "$here/../../images/tiny" "${vgrid%/*}/libexec/vgrid" -type f -print0 | sort -z |
	xargs -0 sha256sum | sha256sum)
if [ "$(cat "$folder/key" 2>/dev/null)" = "$key" ]; then
	exit
fi
if [ "$(id -u)" = 0 ]; then
	chown 64000:64000 "$folder"
fi
rm -rf "$folder/images/"[0-9a-f]*
"$here/as-user" env VGRID_HOME="$folder" "$vgrid" image build tiny
printf '%s\n' "$key" >"$folder/key"
