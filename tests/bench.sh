#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What bench/run says to wrong arguments, and where a part is missing: it runs nothing then, and names
# what to do. bench.sh BENCH_RUN VGRID
set -euo pipefail
run=$1 vgrid=$2
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT

# answers STATUS WORDS…: runs the words, whose output goes to the file `said`.
answers() {
	local wanted=$1 status=0
	shift
	"$@" >"$folder/said" 2>&1 || status=$?
	[ "$status" = "$wanted" ] || {
		echo "$*: exit $status, not $wanted" >&2
		cat "$folder/said" >&2
		exit 1
	}
}
says() { grep -qF -- "$1" "$folder/said" || { cat "$folder/said" >&2; exit 1; }; }
# packages_are COMMAND: what dpkg-query does from now on: says of each that it is installed, or fails.
packages_are() {
	printf '#!/bin/sh\n%s\n' "$1" >"$folder/dpkg-query"
	chmod +x "$folder/dpkg-query"
}
export PATH=$folder:$PATH
bench=("$run" --vgrid "$vgrid" --out /dev/null)

answers 2 "${bench[@]}" vagrants
says "invalid choice: 'vagrants'"
for sizes in 0 2,-1 two ''; do
	answers 2 "${bench[@]}" vagrant --sizes "$sizes"
	says 'sizes are numbers above 0'
done

packages_are 'exit 1'
answers 77 "${bench[@]}" vagrant --quick
says 'apt-get install -y --no-install-recommends vagrant vagrant-libvirt libvirt-daemon '

packages_are 'printf installed'
as_user=()
if [ "$(id -u)" -eq 0 ]; then
	as_user=(unshare --user)
	"${as_user[@]}" true || {
		echo 'skipped: root cannot become an ordinary user here'
		exit 77
	}
fi
answers 77 "${as_user[@]}" "${bench[@]}" vagrant --quick
says 'vagrant: skipped: it needs root'
