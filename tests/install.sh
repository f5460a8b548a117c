#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The installed program works from its prefix: it finds recipe, catalog and guest program there, and
# manual page and completion lie where man and bash look. install.sh BUILD_FOLDER
set -euo pipefail

prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
cmake --install "$1" --prefix "$prefix/usr" >"$prefix/log" || {
	cat "$prefix/log"
	exit 1
}
cd /
vgrid=$prefix/usr/bin/vgrid
export VGRID_HOME=$prefix/home

"$vgrid" --version | grep -q '^vgrid [0-9]'
for template in "$prefix"/usr/share/vgrid/catalog/*.yaml; do
	"$vgrid" check "$template" >/dev/null
done
[ -x "$prefix/usr/share/vgrid/images/tiny/build" ]
[ -x "$prefix/usr/libexec/vgrid/vgrid-guest" ]
bash -n "$prefix/usr/share/bash-completion/completions/vgrid"
man=$(man --local-file "$prefix/usr/share/man/man1/vgrid.1" 2>/dev/null ||
	cat "$prefix/usr/share/man/man1/vgrid.1")
grep -q 'docker compose\|virtual grid' <<<"$man"
VGRID_SITE=fake "$vgrid" up -q "$prefix/usr/share/vgrid/catalog/hello.yaml" | grep -q '^worker-1 '
VGRID_SITE=fake "$vgrid" down -q hello --delete-disks
