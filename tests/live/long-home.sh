#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# A VGRID_HOME of 200 characters with spaces in it, and a template that only its owner can reach. Run
# by an ordinary user and by root.
. "$(dirname "$0")/lib.sh"
home="$folder/a home with  spaces "
home=$home$(printf 'x%.0s' $(seq $((200 - ${#home}))))
same "${#home}" 200
begin "$home"
mkdir -p 'private/templates here'
chmod 0700 private
cat >'private/templates here/a template.yaml' <<'T'
vgrid: 1
name: far-away
images:
  base: {builtin: tiny}
networks:
  lan: {cidr: 10.9.0.0/24}
roles:
  n: {image: base, memory: 128MiB, nics: [lan], disks: {data: {size: 32MiB, mount: /data}}}
T

claim 'a grid comes up there'
expect 0 up 'private/templates here/a template.yaml'
remember

claim 'its node is reached by agent, console and ssh'
expect 0 exec far-away n -- hostname
same "$out" n
printf '\necho $((6 * 7))-on-$(hostname)\n' >typed
input=typed expect 0 console far-away n
has "$out" '42-on-n'
expect 0 ssh far-away n -- hostname
same "$out" n
expect 0 status far-away --check

claim 'a second up, from the same relative path, finds nothing to do'
expect 0 up 'private/templates here/a template.yaml'
has "$err" 'nothing to do'

claim 'down leaves nothing'
expect 0 down far-away --delete-disks
nothing_is_left
