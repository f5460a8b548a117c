// SPDX-License-Identifier: Apache-2.0
#include "base/finding.h"

#include <string.h>

#include "base/text.h"

enum { SOURCE_LINE_MAX = 160 };

void vg_findings_done(struct vg_findings *findings)
{
	for (size_t i = 0; i < findings->n_items; i++) {
		free(findings->items[i].message);
		free(findings->items[i].hint);
		for (size_t k = 0; k < VG_FINDING_PLACES_MAX; k++)
			free(findings->items[i].notes[k]);
	}
	free(findings->items);
	*findings = (struct vg_findings){0};
}

// Where findings beyond the bound go: overwritten, never read.
static struct vg_finding *overflow(char *message)
{
	static _Thread_local struct vg_finding dropped;
	free(message);
	free(vg_take(dropped.hint));
	for (size_t k = 0; k < VG_FINDING_PLACES_MAX; k++)
		free(vg_take(dropped.notes[k]));
	dropped = (struct vg_finding){0};
	return &dropped;
}

struct vg_finding *vg_finding_add(
	struct vg_findings *findings, struct vg_place place, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	char *message = vg_vformat(format, arguments);
	va_end(arguments);
	findings->n_found++;
	if (findings->n_items == VG_FINDINGS_MAX)
		return overflow(message);
	struct vg_finding *finding = &vg_append(findings->items, findings->n_items);
	finding->message = message;
	finding->places[0] = place;
	return finding;
}

void vg_finding_hint(struct vg_finding *finding, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	free(finding->hint);
	finding->hint = vg_vformat(format, arguments);
	va_end(arguments);
}

void vg_finding_also(struct vg_finding *finding, struct vg_place place, const char *format, ...)
{
	for (size_t k = 1; k < VG_FINDING_PLACES_MAX; k++) {
		if (finding->notes[k])
			continue;
		va_list arguments;
		va_start(arguments, format);
		finding->notes[k] = vg_vformat(format, arguments);
		va_end(arguments);
		finding->places[k] = place;
		return;
	}
}

static int compare(const void *a, const void *b)
{
	const struct vg_place *left = &((const struct vg_finding *)a)->places[0];
	const struct vg_place *right = &((const struct vg_finding *)b)->places[0];
	int order = strcmp(left->file ? left->file : "", right->file ? right->file : "");
	if (order)
		return order;
	if (left->line != right->line)
		return left->line < right->line ? -1 : 1;
	return (left->column > right->column) - (left->column < right->column);
}

void vg_findings_sort(struct vg_findings *findings)
{
	if (findings->n_items)
		qsort(findings->items, findings->n_items, sizeof(*findings->items), compare);
}

// The line at `place` with a caret below its column; nothing if the source has no such line.
static void print_source(FILE *out, struct vg_place place, const char *source, size_t source_size)
{
	const char *line = source, *end = source + source_size;
	for (unsigned at = 1; at < place.line; at++) {
		line = memchr(line, '\n', (size_t)(end - line));
		if (!line)
			return;
		line++;
	}
	const char *stop = memchr(line, '\n', (size_t)(end - line));
	size_t length = (size_t)((stop ? stop : end) - line);
	if (length == 0)
		return;
	// Counted in characters, as columns are.
	size_t first = 0;
	if (place.column > SOURCE_LINE_MAX - 20)
		first = place.column - SOURCE_LINE_MAX / 2;
	fputs("  ", out);
	for (size_t at = 0, i = 0; at < length && i < first + SOURCE_LINE_MAX; i++) {
		bool is_plain;
		size_t step = vg_text_step(line + at, length - at, &is_plain);
		if (i >= first && is_plain)
			fwrite(line + at, 1, step, out);
		else if (i >= first)
			fputc(line[at] == '\t' ? ' ' : '?', out);
		at += step;
	}
	fputs("\n  ", out);
	for (size_t i = 1; i + first < place.column; i++)
		fputc(' ', out);
	fputs("^\n", out);
}

static void print_one(FILE *out, const struct vg_finding *finding, size_t k, const char *kind,
	const char *message, const char *source_file, const char *source, size_t source_size)
{
	struct vg_place place = finding->places[k];
	if (place.line)
		fprintf(out, "%s:%u:%u: ", place.file, place.line, place.column);
	fprintf(out, "%s: %s\n", kind, message);
	if (place.line && source && vg_text_equal(place.file, source_file))
		print_source(out, place, source, source_size);
}

void vg_findings_print(const struct vg_findings *findings, FILE *out, const char *source_file,
	const char *source, size_t source_size)
{
	for (size_t i = 0; i < findings->n_items; i++) {
		const struct vg_finding *finding = &findings->items[i];
		print_one(out, finding, 0, "error", finding->message, source_file, source,
			source_size);
		if (finding->hint)
			fprintf(out, "  help: %s\n", finding->hint);
		for (size_t k = 1; k < VG_FINDING_PLACES_MAX && finding->notes[k]; k++)
			print_one(out, finding, k, "note", finding->notes[k], source_file, source,
				source_size);
	}
	if (findings->n_found > findings->n_items)
		fprintf(out, "and %zu more\n", findings->n_found - findings->n_items);
}

struct vg_error *vg_findings_error(const struct vg_findings *findings, const char *file)
{
	if (!findings->n_found)
		return NULL;
	return vg_error_of(VG_ERROR_USAGE, "%zu fault%s in '%s'", findings->n_found,
		findings->n_found == 1 ? "" : "s", file);
}
