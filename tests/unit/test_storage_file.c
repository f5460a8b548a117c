// SPDX-License-Identifier: Apache-2.0
//
// Claims about the file driver alone: what lies on the disk, that no kill and no full disk leaves
// something half-made, and that a user's data is never made anew. Needs qemu-img and qemu-io.
#include "tests/unit/test.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "base/file.h"
#include "base/memory.h"
#include "base/process.h"
#include "base/text.h"
#include "storage/driver.h"
#include "storage/images.h"
#include "tests/unit/small_disk.h"

#define MIB (UINT64_C(1) << 20)
#define STORE "0f0e0d0c-0000-4000-8000-000000000001"
#define GRID "0a0b0c0d-0000-4000-8000-000000000002"
#define TAG(path_) "vgrid:" STORE ":" GRID "/" path_
#define DATA TAG("node/worker-0/disk/data")
#define ROOT TAG("node/worker-0/disk/root")
#define SEED TAG("node/worker-0/seed")

static char *folder, *host, *images, *digest, *stateless;
static struct vg_storage *storage;

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

static char *build_stateless(void)
{
	static const char text[] = "#!/bin/sh\necho kernel >$1/kernel\n"
				   "echo '{\"kernel\": \"kernel\"}' >$1/manifest.json\n";
	_auto(vg_string) char *recipe = vg_format("%s/recipe", folder);
	_auto(vg_string) char *log = vg_format("%s/log", folder);
	assert_null(vg_file_write(recipe, 0755, text, strlen(text)));
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	assert_null(vg_images_build(images, "stateless", recipe, "guest", log, &info));
	return vg_take(info->digest);
}

static int make_folder(void **state)
{
	(void)state;
	char template[] = "/tmp/vgrid-file-XXXXXX";
	folder = vg_strdup(mkdtemp(template));
	host = vg_format("%s/host", folder);
	images = vg_format("%s/images", folder);
	_auto(vg_string) char *raw = vg_format("%s/golden.raw", folder);
	_auto(vg_string) char *golden = vg_format("%s/golden.qcow2", folder);
	RUN("qemu-img", "create", "-q", "-f", "raw", raw, "80M");
	RUN("qemu-io", "-f", "raw", "-c", "write -P 7 70M 1M", raw);
	RUN("qemu-img", "convert", "-f", "raw", "-O", "qcow2", raw, golden);
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	assert_null(vg_images_import(images, golden, "qcow2", NULL, NULL, NULL, &info));
	digest = vg_strdup(info->digest);
	stateless = build_stateless();
	assert_null(vg_folder_make(host, 0700));
	assert_null(vg_storage_file.open(
		&(struct vg_storage_target){"here", host, "/v", images, NULL}, &storage));
	return 0;
}

static int remove_folder(void **state)
{
	(void)state;
	vg_storage_file.close(storage);
	vg_error_ignore(vg_folder_remove(folder));
	free(folder);
	free(host);
	free(images);
	free(digest);
	free(stateless);
	return 0;
}

static struct vg_error *make_data(const char *tag, uint64_t size)
{
	return vg_storage_file.create(
		storage, &(struct vg_volume){.tag = tag, .kind = VG_VOLUME_DATA, .size = size});
}

static struct vg_error *make_root(const char *tag, const char *image, uint64_t size)
{
	return vg_storage_file.create(
		storage, &(struct vg_volume){
				 .tag = tag, .kind = VG_VOLUME_ROOT, .image = image, .size = size});
}

static struct vg_error *make_seed(const char *bytes, size_t size, const char *version)
{
	return vg_storage_file.create(storage, &(struct vg_volume){.tag = SEED,
						       .kind = VG_VOLUME_SEED,
						       .bytes = bytes,
						       .n_bytes = size,
						       .version = version});
}

// Where the volume lies, as this process sees it.
static char *path_of(const char *tag, enum vg_volume_kind kind)
{
	_auto(vg_string) char *seen = NULL;
	const char *format;
	vg_storage_file.locate(storage, tag, kind, &seen, &format);
	assert_true(vg_text_starts(seen, "/v/"));
	return vg_format("%s%s", host, seen + 2);
}

static void check_empty(void)
{
	char **names;
	size_t n_names;
	assert_null(vg_folder_list(host, &names, &n_names));
	for (size_t i = 0; i < n_names; i++)
		print_error("'%s' is left\n", names[i]);
	assert_int_equal(n_names, 0);
	vg_folder_list_free(names, n_names);
}

static void drop(const char *tag)
{
	assert_null(vg_storage_file.remove(storage, tag));
}

static void a_clone_shows_its_image_to_qemu(void **state)
{
	(void)state;
	assert_null(make_root(ROOT, digest, 0));
	assert_null(make_root(TAG("node/big/disk/root"), digest, 200 * MIB));
	_auto(vg_string) char *path = path_of(ROOT, VG_VOLUME_ROOT);
	_auto(vg_string) char *big = path_of(TAG("node/big/disk/root"), VG_VOLUME_ROOT);
	_auto(vg_string) char *golden = vg_format("%s/golden.raw", folder);
	RUN("qemu-img", "check", "-q", "-f", "qcow2", path);
	RUN("qemu-img", "compare", "-q", "-f", "raw", "-F", "qcow2", golden, path);
	RUN("qemu-img", "compare", "-q", "-f", "raw", "-F", "qcow2", golden, big);
	_auto(vg_error) struct vg_error *small = make_root(TAG("node/x/disk/root"), digest, MIB);
	assert_non_null(strstr(
		vg_error_text(small), "'golden.qcow2' has 80MiB and does not fit into 1MiB"));
	_auto(vg_error) struct vg_error *none = make_root(TAG("node/x/disk/root"), stateless, 0);
	assert_non_null(strstr(vg_error_text(none), "the image 'stateless' has no root disk"));
	_auto(vg_error) struct vg_error *unknown =
		make_root(TAG("node/x/disk/root"), "ffffffff", 0);
	assert_int_equal(vg_error_kind(unknown), VG_ERROR_NOT_FOUND);
	drop(ROOT);
	drop(TAG("node/big/disk/root"));
	check_empty();
}

static void a_hundred_clones_take_less_than_a_second(void **state)
{
	(void)state;
	struct timespec before, after;
	clock_gettime(CLOCK_MONOTONIC, &before);
	for (int i = 0; i < 100; i++) {
		_auto(vg_string) char *tag = vg_format(TAG("node/worker-%d/disk/root"), i);
		assert_null(make_root(tag, digest, 0));
	}
	clock_gettime(CLOCK_MONOTONIC, &after);
	double seconds = (double)(after.tv_sec - before.tv_sec) +
			 (double)(after.tv_nsec - before.tv_nsec) / 1e9;
	print_message("100 clones: %.3f s\n", seconds);
	assert_true(seconds < 1.0);
	_auto(vg_volumes_seen) struct vg_volumes_seen seen = {0};
	assert_null(vg_storage_file.observe(storage, STORE, GRID, &seen));
	assert_int_equal(seen.n_items, 100);
	for (size_t i = 0; i < seen.n_items; i++) {
		assert_int_equal(seen.items[i].size, 80 * MIB);
		drop(seen.items[i].tag);
	}
	check_empty();
}

static void no_two_tags_share_a_file(void **state)
{
	(void)state;
	static const char *const tags[] = {TAG("node/a/disk/b"), TAG("node/a.disk/b"),
		TAG("node/a%2Edisk/b"), TAG("node/a/diskb"), TAG("node/A/disk/b"), TAG("../../etc"),
		"vgrid:" STORE ":site/node/a/disk/b"};
	_auto(vg_string) char *plain = path_of(tags[0], VG_VOLUME_DATA);
	assert_true(vg_text_ends(plain, "/volumes/" GRID "/node.a.disk.b/disk.qcow2"));
	for (size_t i = 0; i < VG_LENGTH(tags); i++) {
		_auto(vg_string) char *one = path_of(tags[i], VG_VOLUME_DATA);
		assert_null(strstr(one, ".."));
		for (size_t k = 0; k < i; k++) {
			_auto(vg_string) char *other = path_of(tags[k], VG_VOLUME_DATA);
			assert_string_not_equal(one, other);
		}
	}
	_auto(vg_error) struct vg_error *error = make_data("no tag", MIB);
	assert_non_null(strstr(vg_error_text(error), "'no tag' is no tag of a volume"));
}

static const struct vg_volume_seen *observe_one(struct vg_volumes_seen *seen)
{
	vg_volumes_seen_done(seen);
	assert_null(vg_storage_file.observe(storage, STORE, GRID, seen));
	assert_int_equal(seen->n_items, 1);
	return &seen->items[0];
}

static void a_data_disk_that_is_gone_is_never_made_anew(void **state)
{
	(void)state;
	_auto(vg_volumes_seen) struct vg_volumes_seen seen = {0};
	_auto(vg_string) char *path = path_of(DATA, VG_VOLUME_DATA);
	assert_null(make_data(DATA, 10 * MIB));
	assert_false(observe_one(&seen)->is_broken);
	for (int round = 0; round < 2; round++) {
		if (round == 0)
			assert_int_equal(truncate(path, 20), 0);
		else
			assert_int_equal(unlink(path), 0);
		assert_true(observe_one(&seen)->is_broken);
		assert_int_equal(observe_one(&seen)->size, 10 * MIB);
		_auto(vg_error) struct vg_error *error = make_data(DATA, 10 * MIB);
		assert_non_null(strstr(vg_error_text(error),
			"the data disk 'node/worker-0/disk/data' is gone or cannot be read"));
		assert_non_null(strstr(vg_error_remedy(error), "disk.qcow2"));
		_auto(vg_error) struct vg_error *growing =
			vg_storage_file.resize(storage, DATA, 20 * MIB);
		assert_non_null(growing);
	}
	assert_false(vg_file_exists(path));
	// Nor when it is the sidecar that is gone.
	drop(DATA);
	assert_null(make_data(DATA, 10 * MIB));
	_auto(vg_string) char *sidecar =
		vg_format("%.*svolume.json", (int)(strlen(path) - strlen("disk.qcow2")), path);
	assert_int_equal(unlink(sidecar), 0);
	_auto(vg_error) struct vg_error *error = make_data(DATA, 10 * MIB);
	assert_non_null(strstr(vg_error_text(error), "is in the way of the data disk"));
	assert_true(vg_file_exists(path));
	drop(DATA);
	assert_null(make_data(DATA, 20 * MIB));
	assert_false(observe_one(&seen)->is_broken);
	drop(DATA);
	check_empty();
}

static void a_broken_root_disk_or_seed_is_made_anew(void **state)
{
	(void)state;
	_auto(vg_volumes_seen) struct vg_volumes_seen seen = {0};
	_auto(vg_string) char *root = path_of(ROOT, VG_VOLUME_ROOT);
	assert_null(make_root(ROOT, digest, 0));
	assert_int_equal(truncate(root, 0), 0);
	assert_true(observe_one(&seen)->is_broken);
	assert_null(make_root(ROOT, digest, 0));
	assert_false(observe_one(&seen)->is_broken);
	drop(ROOT);
	_auto(vg_string) char *seed = path_of(SEED, VG_VOLUME_SEED);
	assert_null(make_seed("secret", 6, "1:1"));
	struct stat status;
	assert_int_equal(stat(seed, &status), 0);
	assert_int_equal(status.st_mode & 07777, 0600);
	assert_int_equal(truncate(seed, 0), 0);
	assert_true(observe_one(&seen)->is_broken);
	assert_null(make_seed("secret", 6, "1:1"));
	assert_false(observe_one(&seen)->is_broken);
	_auto(vg_string) char *bytes = NULL;
	assert_null(vg_file_read(seed, 100, &bytes, NULL));
	assert_string_equal(bytes, "secret");
	drop(SEED);
	check_empty();
}

static void a_grown_disk_is_whole_and_keeps_its_data(void **state)
{
	(void)state;
	_auto(vg_string) char *path = path_of(DATA, VG_VOLUME_DATA);
	assert_null(make_data(DATA, 10 * MIB));
	RUN("qemu-io", "-f", "qcow2", "-c", "write -P 5 1M 9M", path);
	assert_null(vg_storage_file.resize(storage, DATA, 6 * 1024 * 1024 * MIB));
	RUN("qemu-img", "check", "-q", "-f", "qcow2", path);
	RUN("qemu-io", "-f", "qcow2", "-c", "read -P 5 1M 9M", "-c", "read -P 0 10M 1M", "-c",
		"write -P 6 5T 1M", "-c", "read -P 6 5T 1M", path);
	RUN("qemu-img", "check", "-q", "-f", "qcow2", path);
	drop(DATA);
	check_empty();
}

static void a_disk_in_use_is_not_grown(void **state)
{
	(void)state;
	_auto(vg_string) char *path = path_of(DATA, VG_VOLUME_DATA);
	assert_null(make_data(DATA, 10 * MIB));
	int in[2], out[2];
	assert_int_equal(pipe2(in, O_CLOEXEC), 0);
	assert_int_equal(pipe2(out, O_CLOEXEC), 0);
	pid_t pid;
	assert_null(vg_process_start((const char *const[]){"qemu-io", "-f", "qcow2", path, NULL},
		NULL, (struct vg_process_files){in[0], out[1], out[1]}, &pid));
	// Its answer says that it has the disk open.
	char answer[256];
	assert_int_equal(write(in[1], "length\n", 7), 7);
	assert_true(read(out[0], answer, sizeof(answer)) > 0);
	_auto(vg_error) struct vg_error *error = vg_storage_file.resize(storage, DATA, 20 * MIB);
	assert_non_null(error);
	assert_non_null(strstr(vg_error_text(error), "a running machine has it open"));
	close(in[0]);
	close(in[1]);
	int status;
	assert_null(vg_process_wait(pid, &status));
	close(out[0]);
	close(out[1]);
	assert_null(vg_storage_file.resize(storage, DATA, 20 * MIB));
	drop(DATA);
	check_empty();
}

// Runs `act` in a child that is killed before its n-th system call. False when it ended earlier.
static bool kill_at(int n, struct vg_error *(*act)(void))
{
	pid_t pid = fork();
	if (pid == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(act() ? 1 : 0);
	}
	int status;
	assert_int_equal(waitpid(pid, &status, 0), pid);
	// Each call stops twice, before and behind.
	for (int stop = 0; !WIFEXITED(status); stop++) {
		if (stop == 2 * n) {
			kill(pid, SIGKILL);
			while (waitpid(pid, &status, 0) == pid && !WIFSIGNALED(status))
				continue;
			return true;
		}
		assert_int_equal(ptrace(PTRACE_SYSCALL, pid, NULL, NULL), 0);
		assert_int_equal(waitpid(pid, &status, 0), pid);
	}
	assert_int_equal(WEXITSTATUS(status), 0);
	return false;
}

static struct vg_error *act_data(void)
{
	return make_data(DATA, 10 * MIB);
}

static struct vg_error *act_root(void)
{
	return make_root(ROOT, digest, 0);
}

static struct vg_error *act_seed(void)
{
	return make_seed("new", 3, "2:2");
}

static struct vg_error *act_grow(void)
{
	return vg_storage_file.resize(storage, DATA, 20 * MIB);
}

static struct vg_error *act_remove(void)
{
	return vg_storage_file.remove(storage, DATA);
}

static struct vg_error *nothing(void)
{
	return NULL;
}

static void after_a_kill_at_any_moment_nothing_is_half_made(void **state)
{
	(void)state;
	static const struct {
		const char *tag;
		struct vg_error *(*before)(void), *(*act)(void);
	} cases[] = {{DATA, nothing, act_data}, {ROOT, nothing, act_root},
		{SEED, nothing, act_seed}, {DATA, act_data, act_grow},
		{DATA, act_data, act_remove}};
	for (size_t i = 0; i < VG_LENGTH(cases); i++) {
		bool was_killed = true;
		int n = 0;
		for (; was_killed && n < 1000; n++) {
			assert_null(cases[i].before());
			if (cases[i].act == act_seed)
				assert_null(make_seed("old", 3, "1:1"));
			was_killed = kill_at(n, cases[i].act);
			_auto(vg_volumes_seen) struct vg_volumes_seen seen = {0};
			assert_null(vg_storage_file.observe(storage, STORE, GRID, &seen));
			assert_true(seen.n_items <= 1);
			if (seen.n_items == 0)
				check_empty();
			else
				assert_false(seen.items[0].is_broken);
			// Again, and it is done.
			assert_null(cases[i].act());
			drop(cases[i].tag);
			check_empty();
		}
		assert_true(n > 10 && n < 1000);
	}
}

static void a_full_disk_is_an_error_that_leaves_nothing_half_made(void **state)
{
	(void)state;
	_auto(vg_string) char *bytes = vg_alloc(MIB);
	memset(bytes, 1, MIB);
	pid_t pid = fork();
	if (pid == 0) {
		if (!small_disk_mount(host, "size=256k"))
			_exit(77);
		struct vg_error *error = make_seed(bytes, MIB, "1:1");
		bool is_said = error && strstr(vg_error_text(error), "No space left on device");
		print_message("%s\n", error ? vg_error_text(error) : "no error");
		check_empty();
		// The old seed stays when the new one does not fit.
		bool is_made = !make_seed("old", 3, "1:1") && make_seed(bytes, MIB, "2:2");
		struct vg_volumes_seen seen = {0};
		bool is_seen = !vg_storage_file.observe(storage, STORE, GRID, &seen) &&
			       seen.n_items == 1 && !seen.items[0].is_broken &&
			       vg_text_equal(seen.items[0].version, "1:1");
		_exit(is_said && is_made && is_seen ? 0 : 1);
	}
	int status;
	assert_null(vg_process_wait(pid, &status));
	if (status == 77)
		vg_test_lacks("a user namespace with a tmpfs");
	assert_int_equal(status, 0);
}

static void a_folder_that_may_not_be_written_is_an_error_that_says_so(void **state)
{
	(void)state;
	char template[] = "/tmp/vgrid-closed-XXXXXX";
	const char *closed = mkdtemp(template);
	assert_int_equal(chmod(closed, 0555), 0);
	pid_t pid = fork();
	if (pid == 0) {
		if (geteuid() == 0 && (setgid(65534) < 0 || setuid(65534) < 0))
			_exit(77);
		struct vg_storage *other;
		if (vg_storage_file.open(
			    &(struct vg_storage_target){"here", closed, NULL, images, NULL},
			    &other))
			_exit(2);
		struct vg_error *error = vg_storage_file.create(other,
			&(struct vg_volume){.tag = DATA, .kind = VG_VOLUME_DATA, .size = MIB});
		bool is_said = error && strstr(vg_error_text(error), "Permission denied") &&
			       strstr(vg_error_text(error), closed);
		struct vg_volumes_seen seen;
		_exit(is_said && !vg_storage_file.observe(other, STORE, NULL, &seen) ? 0 : 1);
	}
	int status;
	assert_null(vg_process_wait(pid, &status));
	assert_null(vg_folder_remove(closed));
	if (status == 77)
		vg_test_lacks("a uid without rights");
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_clone_shows_its_image_to_qemu),
		cmocka_unit_test(a_hundred_clones_take_less_than_a_second),
		cmocka_unit_test(no_two_tags_share_a_file),
		cmocka_unit_test(a_data_disk_that_is_gone_is_never_made_anew),
		cmocka_unit_test(a_broken_root_disk_or_seed_is_made_anew),
		cmocka_unit_test(a_grown_disk_is_whole_and_keeps_its_data),
		cmocka_unit_test(a_disk_in_use_is_not_grown),
		cmocka_unit_test(after_a_kill_at_any_moment_nothing_is_half_made),
		cmocka_unit_test(a_full_disk_is_an_error_that_leaves_nothing_half_made),
		cmocka_unit_test(a_folder_that_may_not_be_written_is_an_error_that_says_so),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
