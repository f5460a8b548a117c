#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# What a machine lacks is said at once, with the exact remedy, by up and by doctor. The lack is made
# in a user namespace of the test's own; the machine stays as it is.
. "$(dirname "$0")/lib.sh"
begin
template=$source_folder/templates/catalog/hello.yaml

# without WHAT-SCRIPT VERB…: vgrid where the script has taken something away.
without() {
	local script=$1
	shift
	run unshare --user --mount --map-current-user --keep-caps bash -c "$script"'
		exec setpriv --inh-caps=-all --ambient-caps=-all "$@"' "$folder" "$vgrid" "$@"
}

claim 'doctor finds nothing wrong with this machine'
expect 0 doctor

claim 'where user namespaces are forbidden, the remedy is named'
no_namespaces='echo 0 > /proc/sys/user/max_user_namespaces'
without "$no_namespaces" up "$template"
same "$status" 1
has "$err" 'user namespace' 'sysctl -w user\.max_user_namespaces='
without "$no_namespaces" doctor
same "$status" 1
has "$out$err" 'sysctl -w user\.max_user_namespaces='

# Only root can make a device node: tests/live/as-user has left one that is root's alone.
if [ -e /dev/net/closed ]; then
	claim 'where /dev/net/tun is closed, the remedy is named'
	closed='mount --bind /dev/net/closed /dev/net/tun'
	without "$closed" up "$template"
	same "$status" 1
	has "$err" '/dev/net/tun' 'chmod 0?666 /dev/net/tun'
	without "$closed" doctor
	same "$status" 1
	has "$out$err" 'chmod 0?666 /dev/net/tun'
fi

claim 'where /dev/net/tun is missing, the remedy is named'
missing='mount -t tmpfs none /dev/net'
without "$missing" up "$template"
same "$status" 1
has "$err" '/dev/net/tun' 'modprobe tun'

claim 'nothing was made'
nothing_is_left
expect 0 list -o json
same "$(json 'it["grids"]')" '[]'
