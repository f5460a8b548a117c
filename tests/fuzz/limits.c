// SPDX-License-Identifier: Apache-2.0
//
// What holds for all fuzz targets: memory that is freed is soon given back, so that the bound on
// memory (tests/fuzz/run) is one on the reader and not on the sanitizer.
const char *__asan_default_options(void);
const char *__ubsan_default_options(void);
const char *__lsan_default_suppressions(void);

const char *__asan_default_options(void)
{
	return "quarantine_size_mb=16:detect_stack_use_after_return=0:allocator_may_return_null=0";
}

const char *__ubsan_default_options(void)
{
	return "print_stacktrace=1";
}

// libfyaml 0.7 leaks what it noted of a quoted scalar that ends in an error.
const char *__lsan_default_suppressions(void)
{
	return "leak:libfyaml.so";
}
