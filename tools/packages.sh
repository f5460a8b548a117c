# SPDX-License-Identifier: Apache-2.0
#
# Sourced by ./demo and ./check: installs the Debian packages that are missing, or says how.

# need_packages KIND…: the kinds are the first words of the lines in ./packages.
need_packages() {
	local kind wanted=() missing=() name
	for kind; do
		while read -r name; do
			wanted+=("$name")
		done < <(awk -v kind="$kind" '$1 == kind { for (i = 2; i <= NF; i++) print $i }' packages)
	done
	for name in "${wanted[@]}"; do
		[ "$(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null)" = installed ] ||
			missing+=("$name")
	done
	[ ${#missing[@]} -gt 0 ] || return 0
	local as_root=() line="apt-get install -y --no-install-recommends ${missing[*]}"
	if [ "$(id -u)" -ne 0 ]; then
		if ! sudo -n true 2>/dev/null; then
			echo "These packages are missing, and installing them needs root. Run" >&2
			echo "  sudo apt-get update && sudo $line" >&2
			echo "and then $0 again: it goes on from here." >&2
			exit 1
		fi
		as_root=(sudo)
	fi
	echo "Installing ${missing[*]}"
	local log
	log=$(mktemp)
	if ! { "${as_root[@]}" apt-get update &&
		"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive $line; } >"$log" 2>&1 </dev/null; then
		tail -n 20 "$log" >&2
		echo "Installing failed; the log is $log" >&2
		exit 1
	fi
	rm -f "$log"
}

# build_preset PRESET: configures and compiles, quietly unless it fails.
build_preset() {
	mkdir -p build
	local log="build/$1.log"
	if ! { cmake --preset "$1" && cmake --build --preset "$1"; } >"$log" 2>&1; then
		tail -n 40 "$log" >&2
		echo "Building failed; the log is $log" >&2
		exit 1
	fi
}
