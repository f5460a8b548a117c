// SPDX-License-Identifier: Apache-2.0
//
// Prints the JSON Schema of templates, or with `site` of site files; `page` and `site-page` print
// docs/template-language.md and docs/site-language.md. Used by tests/schema-validate.py and by the test
// that keeps the pages up to date.
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
	if (argc > 1 && strcmp(argv[1], "site-page") == 0) {
		vg_site_language_write_markdown(stdout);
		return 0;
	}
	bool is_site = argc > 1 && strcmp(argv[1], "site") == 0;
	_auto(vg_json) struct vg_json *schema =
		is_site ? vg_site_language_schema() : vg_language_schema();
	_auto(vg_string) char *text = vg_json_write_pretty(schema);
	fputs(text, stdout);
	return 0;
}
