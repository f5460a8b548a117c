# SPDX-License-Identifier: Apache-2.0
#
# Where the program finds its data (orchestrator/context.c): below the prefix when it is installed, and
# the same layout beside it in the build folder. Manual page and completion come from its table of
# verbs.
set(share ${CMAKE_BINARY_DIR}/share)
set_target_properties(vgrid-guest PROPERTIES
	RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/libexec/vgrid)
install(TARGETS vgrid RUNTIME DESTINATION bin)
install(TARGETS vgrid-guest RUNTIME DESTINATION libexec/vgrid)

# Recipes: the folders of images/ that have a program named build.
file(GLOB recipes CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/images/*/build)
file(MAKE_DIRECTORY ${share}/vgrid/images)
foreach(recipe IN LISTS recipes)
	get_filename_component(folder ${recipe} DIRECTORY)
	get_filename_component(name ${folder} NAME)
	file(CREATE_LINK ${folder} ${share}/vgrid/images/${name} SYMBOLIC)
	install(DIRECTORY ${folder} DESTINATION share/vgrid/images USE_SOURCE_PERMISSIONS)
endforeach()
file(CREATE_LINK ${PROJECT_SOURCE_DIR}/templates/catalog ${share}/vgrid/catalog SYMBOLIC)
install(DIRECTORY templates/catalog DESTINATION share/vgrid)

set(run_vgrid ${CMAKE_COMMAND} -E env VGRID_HOME=/nonexistent $<TARGET_FILE:vgrid>)
set(completion ${share}/bash-completion/completions/vgrid)
file(MAKE_DIRECTORY ${share}/bash-completion/completions ${share}/man/man1)
add_custom_command(OUTPUT ${completion} DEPENDS vgrid VERBATIM
	COMMAND ${run_vgrid} completion > ${completion})
set(generated ${completion})
install(FILES ${completion} DESTINATION share/bash-completion/completions)

find_program(SCDOC scdoc)
if(SCDOC)
	set(page ${share}/man/man1/vgrid.1)
	add_custom_command(OUTPUT ${page} DEPENDS vgrid VERBATIM
		COMMAND ${run_vgrid} manual > ${page}.scd
		COMMAND ${SCDOC} < ${page}.scd > ${page}
		COMMAND ${CMAKE_COMMAND} -E rm ${page}.scd)
	list(APPEND generated ${page})
	install(FILES ${page} DESTINATION share/man/man1)
endif()
add_custom_target(generated ALL DEPENDS ${generated})
