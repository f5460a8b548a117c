// SPDX-License-Identifier: Apache-2.0
#include "base/error.h"

#include <string.h>

#include "base/memory.h"

struct vg_error {
	enum vg_error_kind kind;
	char *message, *hint, *text;
	char *file;
	unsigned line, column;
};

void vg_error_free(struct vg_error *error)
{
	if (!error)
		return;
	free(error->message);
	free(error->hint);
	free(error->text);
	free(error->file);
	free(error);
}

static struct vg_error *make(enum vg_error_kind kind, char *message)
{
	struct vg_error *error = vg_new(struct vg_error);
	error->kind = kind;
	error->message = message;
	return error;
}

struct vg_error *vg_error_new(const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	struct vg_error *error = make(VG_ERROR_FAILED, vg_vformat(format, arguments));
	va_end(arguments);
	return error;
}

struct vg_error *vg_error_of(enum vg_error_kind kind, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	struct vg_error *error = make(kind, vg_vformat(format, arguments));
	va_end(arguments);
	return error;
}

struct vg_error *vg_error_at(struct vg_place place, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	struct vg_error *error = make(VG_ERROR_FAILED, vg_vformat(format, arguments));
	va_end(arguments);
	return vg_error_place(error, place);
}

struct vg_error *vg_error_errno(int errno_code, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *message = vg_vformat(format, arguments);
	va_end(arguments);
	return make(VG_ERROR_FAILED, vg_format("%s: %s", message, strerror(errno_code)));
}

struct vg_error *vg_error_while(struct vg_error *cause, const char *format, ...)
{
	if (!cause)
		return NULL;
	va_list arguments;
	va_start(arguments, format);
	_auto(vg_string) char *doing = vg_vformat(format, arguments);
	va_end(arguments);
	_auto(vg_string) char *message = cause->message;
	cause->message = vg_format("%s: %s", doing, message);
	free(vg_take(cause->text));
	return cause;
}

struct vg_error *vg_error_place(struct vg_error *error, struct vg_place place)
{
	if (!error || error->line || !place.line)
		return error;
	error->file = vg_strdup(place.file ? place.file : "-");
	error->line = place.line;
	error->column = place.column;
	free(vg_take(error->text));
	return error;
}

struct vg_error *vg_error_hint(struct vg_error *error, const char *format, ...)
{
	if (!error)
		return NULL;
	va_list arguments;
	va_start(arguments, format);
	free(error->hint);
	error->hint = vg_vformat(format, arguments);
	va_end(arguments);
	return error;
}

struct vg_error *vg_error_as(struct vg_error *error, enum vg_error_kind kind)
{
	if (error)
		error->kind = kind;
	return error;
}

enum vg_error_kind vg_error_kind(const struct vg_error *error)
{
	return error->kind;
}

const char *vg_error_text(const struct vg_error *error)
{
	// Made on demand; logically const.
	struct vg_error *self = (struct vg_error *)error;
	if (!self->text && !self->line)
		self->text = vg_strdup(self->message);
	else if (!self->text)
		self->text = vg_format(
			"%s:%u:%u: %s", self->file, self->line, self->column, self->message);
	return self->text;
}

const char *vg_error_message(const struct vg_error *error)
{
	return error->message;
}

const char *vg_error_remedy(const struct vg_error *error)
{
	return error->hint;
}

struct vg_place vg_error_where(const struct vg_error *error)
{
	return (struct vg_place){error->file, error->line, error->column};
}
