// SPDX-License-Identifier: Apache-2.0
//
// Prints the JSON Schema of templates; `schema-print page` prints docs/template-language.md. Used
// by tests/schema-validate.py and by the test that keeps the page up to date.
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "templates/language.h"

int main(int argc, char **argv)
{
	if (argc > 1 && strcmp(argv[1], "page") == 0) {
		vg_language_write_markdown(stdout);
		return 0;
	}
	_auto(vg_json) struct vg_json *schema = vg_language_schema();
	_auto(vg_string) char *text = vg_json_write_pretty(schema);
	fputs(text, stdout);
	return 0;
}
