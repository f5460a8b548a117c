# SPDX-License-Identifier: Apache-2.0
#
# libopenvswitch, static, from the sources that the distribution ships: it offers no library to develop
# with. Built once for all presets into build/openvswitch/KEY; the key is a hash of this file, the
# sources and the compiler, which is the machine's own for every preset. Gives the target
# vgrid::openvswitch.
#
# Included by CMakeLists.txt, and run as a script (cmake -P) at build time, when something needs it.
set(sources /usr/src/openvswitch/openvswitch.tar.gz)
# Debian's 3.1.0-2+deb12u1. Another one: build and run the tests with it, then add its hash.
set(known_hashes 82dde6737921b63b284ad8399f95c7f1de94e1b96b2036dcf4a78c9f969ab03f)

# run(NAME COMMAND…): in the sources' folder; the output is shown when it fails.
function(run name)
	execute_process(COMMAND ${ARGN} WORKING_DIRECTORY ${work}/openvswitch OUTPUT_FILE ${work}/${name}.log
		ERROR_FILE ${work}/${name}.log RESULT_VARIABLE status)
	if(NOT status EQUAL 0)
		file(STRINGS ${work}/${name}.log lines)
		list(SUBLIST lines -20 -1 lines)
		list(JOIN lines "\n" text)
		message(FATAL_ERROR "building libopenvswitch: ${name} failed; the log is ${work}/${name}.log\n${text}")
	endif()
endfunction()

if(CMAKE_SCRIPT_MODE_FILE)
	# FOLDER: where to; COMPILER. Presets that are built at the same time wait for each other.
	get_filename_component(parent ${FOLDER} DIRECTORY)
	file(MAKE_DIRECTORY ${parent})
	file(LOCK ${parent}/lock GUARD PROCESS TIMEOUT 1800)
	if(EXISTS ${FOLDER}/libopenvswitch.a)
		return()
	endif()
	set(work ${FOLDER}.work)
	cmake_host_system_information(RESULT n_cores QUERY NUMBER_OF_LOGICAL_CORES)
	file(REMOVE_RECURSE ${work})
	file(ARCHIVE_EXTRACT INPUT ${sources} DESTINATION ${work})
	run(configure ./configure CC=${COMPILER} CFLAGS=-O2 --disable-shared --enable-static --with-pic
		--disable-dependency-tracking --disable-libcapng --disable-afxdp --disable-ssl)
	run(headers make -j${n_cores} include/odp-netlink.h include/odp-netlink-macros.h lib/vswitch-idl.h
		lib/ovsdb-server-idl.h)
	run(library make -j${n_cores} lib/libopenvswitch.la)
	file(MAKE_DIRECTORY ${work}/out)
	file(COPY ${work}/openvswitch/include/openvswitch ${work}/openvswitch/include/openflow
		DESTINATION ${work}/out/include FILES_MATCHING PATTERN "*.h")
	# One object in which only the door to it (net/ovs_openflow.c) is open: the library's own names would
	# take the place of others' (json_object_put is json-c's too).
	set(wanted parse_ofp_flow_mod_str match_init_catchall minimatch_destroy vlog_set_levels
		ofputil_encode_meter_mod ofputil_encode_bundle_add ofputil_encode_flow_mod
		ofputil_encode_hello ofputil_encode_barrier_request)
	list(TRANSFORM wanted PREPEND --undefined= OUTPUT_VARIABLE undefined)
	list(TRANSFORM wanted PREPEND --keep-global-symbol= OUTPUT_VARIABLE kept)
	run(object ld -r ${undefined} -o whole.o lib/.libs/libopenvswitch.a)
	run(hide objcopy --wildcard --keep-global-symbol=ofp* ${kept} whole.o openvswitch.o)
	run(archive ar rcs ${work}/out/libopenvswitch.a openvswitch.o)
	# Appears as a whole.
	file(REMOVE_RECURSE ${FOLDER})
	file(RENAME ${work}/out ${FOLDER})
	file(REMOVE_RECURSE ${work})
	return()
endif()

if(NOT EXISTS ${sources})
	message(FATAL_ERROR "Open vSwitch's sources are missing (${sources}). Install them:\n"
		"  sudo apt-get install -y --no-install-recommends openvswitch-source make")
endif()
file(SHA256 ${sources} hash)
set(VGRID_OPENVSWITCH_SHA256 "" CACHE STRING "hash of other sources of Open vSwitch to build with")
if(NOT hash IN_LIST known_hashes AND NOT hash STREQUAL VGRID_OPENVSWITCH_SHA256)
	message(FATAL_ERROR "${sources} is none of the Open vSwitch sources that vgrid was tried with.\n"
		"To build with it: cmake … -DVGRID_OPENVSWITCH_SHA256=${hash}")
endif()
find_program(VGRID_OPENVSWITCH_COMPILER cc REQUIRED)
execute_process(COMMAND ${VGRID_OPENVSWITCH_COMPILER} --version OUTPUT_VARIABLE compiler)
file(SHA256 ${CMAKE_CURRENT_LIST_FILE} key)
string(SHA256 key "${key} ${hash} ${compiler}")
string(SUBSTRING ${key} 0 12 key)
set(folder ${PROJECT_SOURCE_DIR}/build/openvswitch/${key})
file(MAKE_DIRECTORY ${folder}/include)

add_custom_command(OUTPUT ${folder}/libopenvswitch.a VERBATIM
	COMMENT "Building libopenvswitch, once (about two minutes)"
	COMMAND ${CMAKE_COMMAND} -DFOLDER=${folder} -DCOMPILER=${VGRID_OPENVSWITCH_COMPILER}
		-P ${CMAKE_CURRENT_LIST_FILE})
add_custom_target(openvswitch DEPENDS ${folder}/libopenvswitch.a)
add_library(vgrid_openvswitch INTERFACE)
add_library(vgrid::openvswitch ALIAS vgrid_openvswitch)
add_dependencies(vgrid_openvswitch openvswitch)
target_include_directories(vgrid_openvswitch SYSTEM INTERFACE ${folder}/include)
target_link_libraries(vgrid_openvswitch INTERFACE ${folder}/libopenvswitch.a Threads::Threads m atomic)
