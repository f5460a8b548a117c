// SPDX-License-Identifier: Apache-2.0
//
// Claims about storage/images: what becomes a golden image, how, and what is refused. Needs
// qemu-img (package qemu-utils).
#include "tests/unit/test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "storage/images.h"
#include "storage/qcow2.h"
#include "tests/unit/small_disk.h"

#define MIB (UINT64_C(1) << 20)

static char *folder, *store;

static int make_folder(void **state)
{
	(void)state;
	char template[] = "/tmp/vgrid-images-XXXXXX";
	folder = vg_strdup(mkdtemp(template));
	store = vg_format("%s/images", folder);
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	vg_error_ignore(vg_folder_remove(folder));
	free(folder);
	free(store);
	return 0;
}

static void run(const char *const *argv)
{
	int status = -1;
	_auto(vg_string) char *output = NULL;
	assert_null(vg_process_run(argv, NULL, &status, &output));
	if (status)
		print_error("%s %s: %s\n", argv[0], argv[1], output);
	assert_int_equal(status, 0);
}

#define RUN(...) run((const char *const[]){__VA_ARGS__, NULL})

static char *write_file(const char *name, const void *bytes, size_t size)
{
	char *path = vg_format("%s/%s", folder, name);
	assert_null(vg_file_write(path, 0644, bytes, size));
	return path;
}

static char *write_raw(const char *name, char filling)
{
	_auto(vg_string) char *bytes = vg_alloc(64 * 1024);
	memset(bytes, filling, 64 * 1024);
	return write_file(name, bytes, 64 * 1024);
}

static size_t count_drafts(void)
{
	char **names;
	size_t n_names, n = 0;
	assert_null(vg_folder_list(store, &names, &n_names));
	for (size_t i = 0; i < n_names; i++)
		n += vg_text_starts(names[i], ".new-");
	vg_folder_list_free(names, n_names);
	return n;
}

struct seen {
	unsigned calls;
	uint64_t done, total;
	unsigned calls_max; // stops then; 0: never
};

static bool see(const char *what, uint64_t done, uint64_t total, void *data)
{
	(void)what;
	struct seen *seen = data;
	*seen = (struct seen){seen->calls + 1, done, total, seen->calls_max};
	return !seen->calls_max || seen->calls < seen->calls_max;
}

static void check_mode(const char *path, mode_t mode)
{
	struct stat status;
	assert_int_equal(stat(path, &status), 0);
	assert_int_equal(status.st_mode & 07777, mode);
}

static void a_sparse_raw_file_is_copied_whole_with_its_holes(void **state)
{
	(void)state;
	_auto(vg_string) char *path = vg_format("%s/sparse.raw", folder);
	RUN("truncate", "-s", "60M", path);
	int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, "first", 5, 3 * MIB), 5);
	assert_int_equal(pwrite(fd, "second", 6, 50 * MIB + 77), 6);
	close(fd);
	struct seen seen = {0};
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	assert_null(vg_images_import(store, path, "raw", NULL, see, &seen, &info));
	assert_int_equal(info->root_size, 60 * MIB);
	assert_true(info->stored_size < 4 * MIB);
	assert_string_equal(info->format, "raw");
	assert_string_equal(info->name, "sparse.raw");
	assert_true(seen.calls > 1 && seen.done == 60 * MIB && seen.total == 60 * MIB);

	_auto(vg_string) char *stored = vg_images_path(store, info->digest, "root");
	RUN("cmp", path, stored);
	int status;
	_auto(vg_string) char *sum = NULL;
	assert_null(vg_process_run(
		(const char *const[]){"sha256sum", stored, NULL}, NULL, &status, &sum));
	sum[64] = '\0';
	_auto(vg_string) char *origin = vg_format("file:%s", sum);
	assert_string_equal(info->origin, origin);
	_auto(vg_string) char *image = vg_format("%s/%s", store, info->digest);
	_auto(vg_string) char *sidecar = vg_format("%s/image.json", image);
	check_mode(image, 0755);
	check_mode(stored, 0444);
	check_mode(sidecar, 0444);
	assert_int_equal(count_drafts(), 0);
}

static void the_same_file_again_is_not_read(void **state)
{
	(void)state;
	_auto(vg_string) char *path = write_raw("again.raw", 'a');
	struct seen seen = {0};
	_auto(vg_image_info) struct vg_image_info *first = NULL, *second = NULL, *third = NULL,
						  *fourth = NULL;
	assert_null(vg_images_import(store, path, "raw", NULL, see, &seen, &first));
	unsigned calls = seen.calls;
	assert_null(vg_images_import(store, path, "raw", NULL, see, &seen, &second));
	assert_string_equal(first->digest, second->digest);
	assert_int_equal(seen.calls, calls);
	// Known or not, a demanded hash is compared.
	_auto(vg_error) struct vg_error *error = vg_images_import(store, path, "raw",
		"0000000000000000000000000000000000000000000000000000000000000000", see, &seen,
		&third);
	assert_non_null(strstr(vg_error_text(error), "is demanded"));
	assert_null(third);
	assert_null(vg_images_import(store, path, "raw", first->origin + 5, see, &seen, &third));

	// Another content is read; the same content under another name is the same image.
	free(write_raw("again.raw", 'b'));
	assert_null(vg_images_import(store, path, "raw", NULL, see, &seen, &fourth));
	assert_string_not_equal(first->digest, fourth->digest);
	assert_true(seen.calls > calls);
	_auto(vg_string) char *copy = write_raw("copy.raw", 'a');
	_auto(vg_image_info) struct vg_image_info *fifth = NULL;
	assert_null(vg_images_import(store, copy, "raw", NULL, see, &seen, &fifth));
	assert_string_equal(first->digest, fifth->digest);
}

static void a_wrong_hash_shows_both_and_stores_nothing(void **state)
{
	(void)state;
	_auto(vg_string) char *path = write_raw("hash.raw", 'h');
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	_auto(vg_error) struct vg_error *error = vg_images_import(store, path, "raw",
		"00000000000000000000000000000000000000000000000000000000000000ff", NULL, NULL,
		&info);
	assert_non_null(strstr(vg_error_text(error), "00ff is demanded"));
	_auto(vg_image_info) struct vg_image_info *stored = NULL;
	assert_null(vg_images_import(store, path, "raw", NULL, NULL, NULL, &stored));
	assert_non_null(strstr(vg_error_text(error), stored->origin + strlen("file:")));
	assert_null(vg_images_remove(store, stored->digest));
	assert_null(info);
	assert_int_equal(count_drafts(), 0);
}

static void a_plain_qcow2_of_qemu_img_becomes_an_image(void **state)
{
	(void)state;
	static const char *const options[] = {"compat=0.10", "cluster_size=512", "extended_l2=on"};
	_auto(vg_string) char *raw = write_raw("source.raw", 'q');
	for (size_t i = 0; i < VG_LENGTH(options); i++) {
		_auto(vg_string) char *path = vg_format("%s/plain-%zu.qcow2", folder, i);
		RUN("qemu-img", "convert", "-f", "raw", "-O", "qcow2", "-o", options[i], raw, path);
		_auto(vg_image_info) struct vg_image_info *info = NULL;
		_auto(vg_error) struct vg_error *error =
			vg_images_import(store, path, "qcow2", NULL, NULL, NULL, &info);
		if (error)
			fail_msg("%s", vg_error_text(error));
		assert_int_equal(info->root_size, 64 * 1024);
		assert_string_equal(info->format, "qcow2");
	}
	_auto(vg_string) char *packed = vg_format("%s/packed.qcow2", folder);
	RUN("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", raw, packed);
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	assert_null(vg_images_import(store, packed, "qcow2", NULL, NULL, NULL, &info));
}

static void refuse(const char *path, const char *format, const char *reason)
{
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	_auto(vg_error) struct vg_error *error =
		vg_images_import(store, path, format, NULL, NULL, NULL, &info);
	if (!error || !strstr(vg_error_text(error), reason))
		fail_msg("%s: %s", path, error ? vg_error_text(error) : "no error");
	assert_int_equal(count_drafts(), 0);
}

static void what_reaches_out_of_itself_is_refused(void **state)
{
	(void)state;
	_auto(vg_string) char *parent = write_raw("parent.raw", 'p');
	_auto(vg_string) char *path = vg_format("%s/hostile.qcow2", folder);
	RUN("qemu-img", "create", "-q", "-f", "qcow2", "-b", parent, "-F", "raw", path);
	refuse(path, "qcow2", "it has a backing file");
	_auto(vg_string) char *data = vg_format("%s/outside", folder);
	_auto(vg_string) char *data_option = vg_format("data_file=%s,data_file_raw=on", data);
	RUN("qemu-img", "create", "-q", "-f", "qcow2", "-o", data_option, path, "1M");
	refuse(path, "qcow2", "it keeps its data in another file");
	RUN("qemu-img", "create", "-q", "-f", "qcow2", "--object", "secret,id=s,data=abc", "-o",
		"encrypt.format=luks,encrypt.key-secret=s,encrypt.iter-time=10", path, "1M");
	refuse(path, "qcow2", "it is encrypted");
	RUN("qemu-img", "create", "-q", "-f", "luks", "--object", "secret,id=s,data=abc", "-o",
		"key-secret=s,iter-time=10", path, "1M");
	refuse(path, "raw", "begins like LUKS");
}

static void a_format_that_was_not_stated_is_refused(void **state)
{
	(void)state;
	static const struct {
		const char *format, *says;
	} cases[] = {{"qcow2", "qcow2"}, {"qed", "QED"}, {"vmdk", "VMDK"}, {"vhdx", "VHDX"},
		{"vpc", "VHD"}, {"vdi", "VDI"}, {"parallels", "Parallels"}};
	_auto(vg_string) char *path = vg_format("%s/other", folder);
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		RUN("qemu-img", "create", "-q", "-f", cases[i].format, path, "16M");
		_auto(vg_string) char *says = vg_format("begins like %s:", cases[i].says);
		refuse(path, "raw", says);
		if (i > 0)
			refuse(path, "qcow2", "is stated to be qcow2, and is none");
	}
	_auto(vg_string) char *raw = write_raw("plain.raw", 'r');
	refuse(raw, "qcow2", "is stated to be qcow2");
	refuse(raw, "vmdk", "the format is 'qcow2' or 'raw'");
	_auto(vg_string) char *odd = write_file("odd.raw", "abc", 3);
	refuse(odd, "raw", "no multiple of 512");
	_auto(vg_string) char *empty = write_file("empty.raw", "", 0);
	refuse(empty, "raw", "of 0 bytes");
	refuse(folder, "raw", "no regular file");
	refuse("/dev/zero", "raw", "no regular file");
	refuse("/no/such/file", "raw", "there is no file");
}

static void set_byte(const char *path, off_t at, char value)
{
	int fd = open(path, O_WRONLY);
	assert_int_equal(pwrite(fd, &value, 1, at), 1);
	close(fd);
}

static void a_damaged_qcow2_is_refused(void **state)
{
	(void)state;
	static const struct {
		off_t at;
		char value;
		const char *says;
	} cases[] = {{79, 2, "it is marked corrupt"}, {79, 1, "it was not closed cleanly"},
		{78, 1, "features that are not known"}, {24, (char)0x80, "claims 9223372036"},
		{20, 9, "clusters of"}, {43, 99, "cut off"}};
	_auto(vg_string) char *path = vg_format("%s/damaged.qcow2", folder);
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		RUN("qemu-img", "create", "-q", "-f", "qcow2", path, "1M");
		set_byte(path, cases[i].at, cases[i].value);
		refuse(path, "qcow2", cases[i].says);
	}
	RUN("qemu-img", "create", "-q", "-f", "qcow2", path, "100T");
	refuse(path, "qcow2", "at most 64TiB");
	// A download that broke off: header and tables are there, the last clusters are not.
	_auto(vg_string) char *raw = vg_format("%s/long.raw", folder);
	_auto(vg_string) char *out = vg_format("of=%s", raw);
	RUN("dd", "if=/dev/urandom", "bs=1M", "count=4", "status=none", out);
	RUN("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, path);
	assert_int_equal(truncate(path, 3 * MIB), 0);
	refuse(path, "qcow2", "is cut off");
	RUN("qemu-img", "convert", "-c", "-f", "raw", "-O", "qcow2", raw, path);
	assert_int_equal(truncate(path, 3 * MIB), 0);
	refuse(path, "qcow2", "is cut off");
}

static void an_image_is_found_by_name_and_by_the_beginning_of_its_digest(void **state)
{
	(void)state;
	_auto(vg_string) char *path = write_raw("found.raw", 'f');
	_auto(vg_image_info) struct vg_image_info *info = NULL, *by_name = NULL, *by_digest = NULL,
						  *by_prefix = NULL, *none = NULL;
	assert_null(vg_images_import(store, path, "raw", NULL, NULL, NULL, &info));
	assert_null(vg_images_find(store, "found.raw", &by_name));
	assert_null(vg_images_find(store, info->digest, &by_digest));
	char prefix[13] = {0};
	memcpy(prefix, info->digest, 12);
	assert_null(vg_images_find(store, prefix, &by_prefix));
	assert_string_equal(by_name->digest, info->digest);
	assert_string_equal(by_digest->digest, info->digest);
	assert_string_equal(by_prefix->digest, info->digest);
	prefix[5] = '\0';
	_auto(vg_error) struct vg_error *error = vg_images_find(store, prefix, &none);
	assert_int_equal(vg_error_kind(error), VG_ERROR_NOT_FOUND);

	assert_null(vg_images_remove(store, info->digest));
	_auto(vg_error) struct vg_error *gone = vg_images_find(store, "found.raw", &none);
	assert_int_equal(vg_error_kind(gone), VG_ERROR_NOT_FOUND);
	_auto(vg_error) struct vg_error *twice = vg_images_remove(store, info->digest);
	assert_int_equal(vg_error_kind(twice), VG_ERROR_NOT_FOUND);
	// Its file is known no more, and comes in again.
	_auto(vg_image_info) struct vg_image_info *again = NULL;
	assert_null(vg_images_import(store, path, "raw", NULL, NULL, NULL, &again));
	assert_string_equal(again->digest, info->digest);
}

static void a_damaged_image_is_left_out_and_mended_by_the_next_import(void **state)
{
	(void)state;
	_auto(vg_string) char *path = write_raw("mend.raw", 'm');
	_auto(vg_image_info) struct vg_image_info *info = NULL, *none = NULL, *mended = NULL;
	assert_null(vg_images_import(store, path, "raw", NULL, NULL, NULL, &info));
	_auto(vg_string) char *root = vg_images_path(store, info->digest, "root");
	assert_int_equal(truncate(root, 512), 0);
	_auto(vg_error) struct vg_error *error = vg_images_find(store, "mend.raw", &none);
	assert_int_equal(vg_error_kind(error), VG_ERROR_NOT_FOUND);
	assert_null(vg_images_import(store, path, "raw", NULL, NULL, NULL, &mended));
	assert_string_equal(mended->digest, info->digest);
	assert_int_equal(count_drafts(), 0);
	RUN("cmp", path, root);
}

// A recipe of this test: counts its runs and says what it is told to.
static char *write_recipe(const char *name, const char *body)
{
	char *path = vg_format("%s/%s", folder, name);
	_auto(vg_string) char *text = vg_format("#!/bin/sh\nset -e\n%s", body);
	assert_null(vg_file_write(path, 0755, text, strlen(text)));
	return path;
}

static struct vg_error *build(const char *name, const char *recipe, struct vg_image_info **ret_info)
{
	_auto(vg_string) char *log = vg_format("%s/build.log", folder);
	return vg_images_build(store, name, recipe, "/guest program", log, ret_info);
}

static void a_recipe_makes_an_image_of_kernel_and_root(void **state)
{
	(void)state;
	_auto(vg_string) char *recipe = write_recipe("good",
		"[ \"$2\" = '/guest program' ]\n[ -n \"$VGRID_CACHE\" ]\nmkdir $1/.cache\n"
		"echo kernel >$1/vmlinuz\necho initrd >$1/initrd\nhead -c 4096 /dev/zero >$1/disk\n"
		"echo '{\"name\": \"tiny\", \"kernel\": \"vmlinuz\", \"initrd\": \"initrd\", "
		"\"root\": "
		"\"disk\", \"format\": \"raw\", \"cmdline\": \"quiet\"}' >$1/manifest.json\n");
	_auto(vg_image_info) struct vg_image_info *info = NULL, *again = NULL;
	assert_null(build("tiny", recipe, &info));
	assert_string_equal(info->name, "tiny");
	assert_string_equal(info->origin, "builtin:tiny");
	assert_string_equal(info->cmdline, "quiet");
	assert_int_equal(info->root_size, 4096);
	assert_true(info->has_kernel);
	_auto(vg_string) char *image = vg_format("%s/%s", store, info->digest);
	char **names;
	size_t n_names;
	assert_null(vg_folder_list(image, &names, &n_names));
	assert_int_equal(n_names, 4);
	assert_string_equal(names[0], "image.json");
	assert_string_equal(names[1], "initrd");
	assert_string_equal(names[2], "kernel");
	assert_string_equal(names[3], "root");
	vg_folder_list_free(names, n_names);
	// The same parts are the same image.
	assert_null(build("tiny", recipe, &again));
	assert_string_equal(again->digest, info->digest);
	assert_int_equal(count_drafts(), 0);
}

static void an_image_may_have_no_root(void **state)
{
	(void)state;
	_auto(vg_string) char *recipe = write_recipe("stateless",
		"echo kernel >$1/kernel\n"
		"echo '{\"kernel\": \"kernel\", \"root\": null}' >$1/manifest.json\n");
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	assert_null(build("stateless", recipe, &info));
	assert_null(info->format);
	assert_int_equal(info->root_size, 0);
}

static void a_recipe_that_fails_shows_the_end_of_its_log(void **state)
{
	(void)state;
	_auto(vg_string) char *recipe =
		write_recipe("bad", "seq 1 50\necho 'no space for the initrd' >&2\nexit 3\n");
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	_auto(vg_error) struct vg_error *error = build("bad", recipe, &info);
	assert_non_null(strstr(vg_error_text(error), "building the image 'bad'"));
	assert_non_null(strstr(vg_error_text(error), "ended with status 3"));
	assert_non_null(strstr(vg_error_remedy(error), "\n42\n"));
	assert_null(strstr(vg_error_remedy(error), "\n41\n"));
	assert_non_null(strstr(vg_error_remedy(error), "no space for the initrd"));
	assert_int_equal(count_drafts(), 0);
	static const char *const manifests[] = {"{}", "{\"root\": \"../x\", \"format\": \"raw\"}",
		"{\"root\": \"disk\", \"format\": \"raw\"}", "{\"root\": \"disk\"}", "["};
	for (size_t i = 0; i < VG_LENGTH(manifests); i++) {
		_auto(vg_string) char *body =
			vg_format("echo '%s' >$1/manifest.json\n", manifests[i]);
		_auto(vg_string) char *odd = write_recipe("odd", body);
		_auto(vg_error) struct vg_error *refused = build("odd", odd, &info);
		assert_non_null(refused);
		assert_int_equal(count_drafts(), 0);
	}
}

// Starts a process that builds and ends with 0 on success.
static pid_t start_builder(const char *recipe)
{
	pid_t pid = fork();
	if (pid == 0) {
		struct vg_image_info *info = NULL;
		_exit(build("slow", recipe, &info) ? 1 : 0);
	}
	assert_true(pid > 0);
	return pid;
}

static void wait_for_file(const char *path)
{
	for (int i = 0; i < 1000 && !vg_file_exists(path); i++)
		usleep(10000);
	assert_true(vg_file_exists(path));
}

// A recipe that says that it runs and waits until it may go on.
static char *write_slow_recipe(char **ret_started, char **ret_go)
{
	*ret_started = vg_format("%s/started", folder);
	*ret_go = vg_format("%s/go", folder);
	assert_null(vg_file_remove(*ret_started));
	assert_null(vg_file_remove(*ret_go));
	_auto(vg_string) char *body =
		vg_format("echo run >>%s\nuntil [ -e %s ]; do sleep 0.02; done\n"
			  "echo kernel-$$ >$1/kernel\n"
			  "echo '{\"kernel\": \"kernel\"}' >$1/manifest.json\n",
			*ret_started, *ret_go);
	return write_recipe("slow", body);
}

// Is a lock of this file waited for? /proc/locks shows who waits with an arrow.
static bool is_waited_for(pid_t pid)
{
	_auto(vg_string) char *locks = NULL;
	assert_null(vg_file_read("/proc/locks", MIB, &locks, NULL));
	_auto(vg_string) char *waiter = vg_format("-> FLOCK  ADVISORY  WRITE %d ", (int)pid);
	return strstr(locks, waiter);
}

static void of_two_builders_the_second_takes_the_result_of_the_first(void **state)
{
	(void)state;
	_auto(vg_string) char *started = NULL, *go = NULL;
	_auto(vg_string) char *recipe = write_slow_recipe(&started, &go);
	pid_t first = start_builder(recipe);
	wait_for_file(started);
	pid_t second = start_builder(recipe);
	for (int i = 0; i < 1000 && !is_waited_for(second); i++)
		usleep(10000);
	assert_true(is_waited_for(second));
	assert_null(vg_file_write(go, 0600, "", 0));
	int status;
	assert_null(vg_process_wait(first, &status));
	assert_int_equal(status, 0);
	assert_null(vg_process_wait(second, &status));
	assert_int_equal(status, 0);
	_auto(vg_string) char *runs = NULL;
	assert_null(vg_file_read(started, 4096, &runs, NULL));
	assert_string_equal(runs, "run\n");
}

static void what_a_killed_builder_left_is_removed_by_the_next(void **state)
{
	(void)state;
	_auto(vg_string) char *started = NULL, *go = NULL;
	_auto(vg_string) char *recipe = write_slow_recipe(&started, &go);
	pid_t killed = start_builder(recipe);
	wait_for_file(started);
	kill(killed, SIGKILL);
	int status;
	assert_null(vg_process_wait(killed, &status));
	assert_int_equal(count_drafts(), 1);
	assert_null(vg_file_write(go, 0600, "", 0));
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	assert_null(build("slow", recipe, &info));
	assert_int_equal(count_drafts(), 0);
}

static void two_imports_of_one_file_at_once_make_one_image(void **state)
{
	(void)state;
	_auto(vg_string) char *path = write_raw("both.raw", 'B');
	pid_t pids[6];
	for (size_t i = 0; i < VG_LENGTH(pids); i++) {
		pids[i] = fork();
		if (pids[i] == 0) {
			struct vg_image_info *info = NULL;
			_exit(vg_images_import(store, path, "raw", NULL, NULL, NULL, &info) ? 1
											    : 0);
		}
	}
	for (size_t i = 0; i < VG_LENGTH(pids); i++) {
		int status;
		assert_null(vg_process_wait(pids[i], &status));
		assert_int_equal(status, 0);
	}
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	assert_null(vg_images_find(store, "both.raw", &info));
	assert_int_equal(count_drafts(), 0);
}

static void a_full_disk_is_an_error_that_leaves_nothing(void **state)
{
	(void)state;
	_auto(vg_string) char *path = vg_format("%s/big.raw", folder);
	_auto(vg_string) char *bytes = vg_alloc(4 * MIB);
	memset(bytes, 1, 4 * MIB);
	assert_null(vg_file_write(path, 0644, bytes, 4 * MIB));
	pid_t pid = fork();
	if (pid == 0) {
		if (!small_disk_mount(store, "size=1m"))
			_exit(77);
		struct vg_image_info *info = NULL;
		struct vg_error *error =
			vg_images_import(store, path, "raw", NULL, NULL, NULL, &info);
		bool is_said = error && strstr(vg_error_text(error), "No space left on device");
		if (!is_said)
			print_error("%s\n", error ? vg_error_text(error) : "no error");
		_exit(is_said && count_drafts() == 0 ? 0 : 1);
	}
	int status;
	assert_null(vg_process_wait(pid, &status));
	if (status == 77)
		vg_test_lacks("a user namespace with a tmpfs");
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_sparse_raw_file_is_copied_whole_with_its_holes),
		cmocka_unit_test(the_same_file_again_is_not_read),
		cmocka_unit_test(a_wrong_hash_shows_both_and_stores_nothing),
		cmocka_unit_test(a_plain_qcow2_of_qemu_img_becomes_an_image),
		cmocka_unit_test(what_reaches_out_of_itself_is_refused),
		cmocka_unit_test(a_format_that_was_not_stated_is_refused),
		cmocka_unit_test(a_damaged_qcow2_is_refused),
		cmocka_unit_test(an_image_is_found_by_name_and_by_the_beginning_of_its_digest),
		cmocka_unit_test(a_damaged_image_is_left_out_and_mended_by_the_next_import),
		cmocka_unit_test(a_recipe_makes_an_image_of_kernel_and_root),
		cmocka_unit_test(an_image_may_have_no_root),
		cmocka_unit_test(a_recipe_that_fails_shows_the_end_of_its_log),
		cmocka_unit_test(of_two_builders_the_second_takes_the_result_of_the_first),
		cmocka_unit_test(what_a_killed_builder_left_is_removed_by_the_next),
		cmocka_unit_test(two_imports_of_one_file_at_once_make_one_image),
		cmocka_unit_test(a_full_disk_is_an_error_that_leaves_nothing),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
