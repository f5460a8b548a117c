// SPDX-License-Identifier: Apache-2.0
//
// Claims that hold for every storage driver (storage/driver.h): each runs against files, fakes and
// a filter around files.
#include "tests/unit/test.h"

#include "base/file.h"
#include "base/filter_spec.h"
#include "base/memory.h"
#include "base/tag.h"
#include "storage/driver.h"
#include "storage/filter.h"
#include "storage/images.h"

#define MIB (UINT64_C(1) << 20)
#define STORE "0f0e0d0c-0000-4000-8000-000000000001"
#define GRID "0a0b0c0d-0000-4000-8000-000000000002"
#define DATA "vgrid:" STORE ":" GRID "/node/worker-0/disk/data"
#define ROOT "vgrid:" STORE ":" GRID "/node/worker-0/disk/root"
#define SEED "vgrid:" STORE ":" GRID "/node/worker-0/seed"

static const struct {
	const struct vg_storage_driver *driver;
	const char *folder; // %s is this run's
} drivers[] = {{&vg_storage_file, "%s/grid"}, {&vg_storage_fake, "fake:%s/world.json"},
	{&vg_storage_fake, "fake:"}, {&vg_storage_filtered, "%s/grid"}};

struct fixture {
	const struct vg_storage_driver *driver;
	struct vg_storage *storage;
	struct vg_call_rules rules;
	char *folder, *digest, *other_digest;
};

static char *import_image(const char *folder, const char *name, char filling)
{
	_auto(vg_string) char *path = vg_format("%s/%s", folder, name);
	_auto(vg_string) char *store = vg_format("%s/images", folder);
	char bytes[4096];
	memset(bytes, filling, sizeof(bytes));
	assert_null(vg_file_write(path, 0600, bytes, sizeof(bytes)));
	_auto(vg_image_info) struct vg_image_info *info = NULL;
	assert_null(vg_images_import(store, path, "raw", NULL, NULL, NULL, &info));
	return vg_take(info->digest);
}

static void open_driver(struct fixture *fixture, const struct vg_storage_target *target)
{
	if (fixture->driver->open)
		assert_null(fixture->driver->open(target, &fixture->storage));
	else
		assert_null(vg_storage_filter_open(
			&vg_storage_file, &fixture->rules, target, &fixture->storage));
}

static void set_up(struct fixture *fixture, size_t i)
{
	char template[] = "/tmp/vgrid-storage-XXXXXX";
	fixture->folder = vg_strdup(mkdtemp(template));
	fixture->digest = import_image(fixture->folder, "one.raw", '1');
	fixture->other_digest = import_image(fixture->folder, "two.raw", '2');
	fixture->driver = drivers[i].driver;
	_auto(vg_string) char *images = vg_format("%s/images", fixture->folder);
	_auto(vg_string) char *folder =
		strstr(drivers[i].folder, "%s")
			? vg_format("%.*s%s%s", (int)strcspn(drivers[i].folder, "%"),
				  drivers[i].folder, fixture->folder,
				  strstr(drivers[i].folder, "%s") + 2)
			: vg_strdup(drivers[i].folder);
	open_driver(fixture, &(struct vg_storage_target){"here", folder, NULL, images, NULL});
}

static void tear_down(struct fixture *fixture)
{
	static const char *const tags[] = {DATA, ROOT, SEED};
	for (size_t i = 0; i < VG_LENGTH(tags); i++)
		assert_null(fixture->driver->remove(fixture->storage, tags[i]));
	fixture->driver->close(fixture->storage);
	vg_filter_free(fixture->rules.filter);
	assert_null(vg_folder_remove(fixture->folder));
	free(fixture->folder);
	free(fixture->digest);
	free(fixture->other_digest);
}

static void with_each(void (*claim)(struct fixture *fixture))
{
	for (size_t i = 0; i < VG_LENGTH(drivers); i++) {
		struct fixture fixture = {0};
		set_up(&fixture, i);
		claim(&fixture);
		tear_down(&fixture);
	}
}

static struct vg_error *create(struct fixture *fixture, struct vg_volume volume)
{
	return fixture->driver->create(fixture->storage, &volume);
}

static void make_all(struct fixture *fixture)
{
	assert_null(create(fixture,
		(struct vg_volume){.tag = DATA, .kind = VG_VOLUME_DATA, .size = 10 * MIB}));
	assert_null(create(fixture,
		(struct vg_volume){.tag = ROOT, .kind = VG_VOLUME_ROOT, .image = fixture->digest}));
	assert_null(create(fixture, (struct vg_volume){.tag = SEED,
					    .kind = VG_VOLUME_SEED,
					    .bytes = "seed",
					    .n_bytes = 4,
					    .version = "a:1"}));
}

static const struct vg_volume_seen *find(const struct vg_volumes_seen *seen, const char *tag)
{
	for (size_t i = 0; i < seen->n_items; i++) {
		if (strcmp(seen->items[i].tag, tag) == 0)
			return &seen->items[i];
	}
	fail_msg("'%s' is not seen", tag);
	return NULL;
}

static void check_made_is_seen(struct fixture *fixture)
{
	make_all(fixture);
	make_all(fixture);
	_auto(vg_volumes_seen) struct vg_volumes_seen seen = {0}, of_store = {0}, of_others = {0};
	assert_null(fixture->driver->observe(fixture->storage, STORE, GRID, &seen));
	assert_int_equal(seen.n_items, 3);
	const struct vg_volume_seen *data = find(&seen, DATA), *root = find(&seen, ROOT),
				    *seed = find(&seen, SEED);
	assert_int_equal(data->kind, VG_VOLUME_DATA);
	assert_int_equal(data->size, 10 * MIB);
	assert_null(data->image);
	assert_int_equal(root->kind, VG_VOLUME_ROOT);
	assert_string_equal(root->image, fixture->digest);
	assert_int_equal(seed->kind, VG_VOLUME_SEED);
	assert_string_equal(seed->version, "a:1");
	assert_false(data->is_broken || root->is_broken || seed->is_broken);
	assert_null(fixture->driver->observe(fixture->storage, STORE, NULL, &of_store));
	assert_int_equal(of_store.n_items, 3);
	assert_null(fixture->driver->observe(fixture->storage, GRID, NULL, &of_others));
	assert_int_equal(of_others.n_items, 0);
}

static void what_is_made_is_seen_and_making_it_again_changes_nothing(void **state)
{
	(void)state;
	with_each(check_made_is_seen);
}

static void expect_error(struct fixture *fixture, struct vg_volume volume, const char *says)
{
	volume.place = (struct vg_place){"a.yaml", 3, 7};
	_auto(vg_error) struct vg_error *error = create(fixture, volume);
	if (!error || !strstr(vg_error_text(error), says))
		fail_msg("%s", error ? vg_error_text(error) : "no error");
	assert_int_equal(vg_error_where(error).line, 3);
}

static void check_other_form(struct fixture *fixture)
{
	make_all(fixture);
	expect_error(fixture,
		(struct vg_volume){.tag = DATA, .kind = VG_VOLUME_DATA, .size = 20 * MIB},
		"is there already with 10MiB, not 20MiB");
	_auto(vg_string) char *says = vg_format("is there already with the image %s, not %s",
		fixture->digest, fixture->other_digest);
	expect_error(fixture,
		(struct vg_volume){
			.tag = ROOT, .kind = VG_VOLUME_ROOT, .image = fixture->other_digest},
		says);
	expect_error(fixture,
		(struct vg_volume){.tag = DATA, .kind = VG_VOLUME_ROOT, .image = fixture->digest},
		"is there already as a data disk, not as a root disk");
	expect_error(fixture,
		(struct vg_volume){.tag = "vgrid:" STORE ":" GRID "/node/x/disk/odd",
			.kind = VG_VOLUME_DATA,
			.size = 77},
		"multiple of 512");
	_auto(vg_volumes_seen) struct vg_volumes_seen seen = {0};
	assert_null(fixture->driver->observe(fixture->storage, STORE, GRID, &seen));
	assert_int_equal(seen.n_items, 3);
	assert_int_equal(find(&seen, DATA)->size, 10 * MIB);
}

static void a_volume_in_another_form_is_an_error_that_names_both(void **state)
{
	(void)state;
	with_each(check_other_form);
}

static void check_seed(struct fixture *fixture)
{
	make_all(fixture);
	assert_null(create(fixture, (struct vg_volume){.tag = SEED,
					    .kind = VG_VOLUME_SEED,
					    .bytes = "longer",
					    .n_bytes = 6,
					    .version = "a:2"}));
	_auto(vg_volumes_seen) struct vg_volumes_seen seen = {0};
	assert_null(fixture->driver->observe(fixture->storage, STORE, GRID, &seen));
	assert_int_equal(seen.n_items, 3);
	assert_string_equal(find(&seen, SEED)->version, "a:2");
	assert_int_equal(find(&seen, SEED)->size, 6);
	assert_false(find(&seen, SEED)->is_broken);
}

static void a_seed_of_another_version_takes_the_place_of_the_first(void **state)
{
	(void)state;
	with_each(check_seed);
}

static void check_resize(struct fixture *fixture)
{
	make_all(fixture);
	const struct vg_storage_driver *driver = fixture->driver;
	assert_null(driver->resize(fixture->storage, DATA, 5 * 1024 * 1024 * MIB));
	assert_null(driver->resize(fixture->storage, DATA, 5 * 1024 * 1024 * MIB));
	_auto(vg_error) struct vg_error *shrinking =
		driver->resize(fixture->storage, DATA, 10 * MIB);
	assert_non_null(strstr(vg_error_text(shrinking), "cannot shrink"));
	_auto(vg_error) struct vg_error *root = driver->resize(fixture->storage, ROOT, 100 * MIB);
	assert_non_null(strstr(vg_error_text(root), "it is a root disk"));
	_auto(vg_error) struct vg_error *none = driver->resize(
		fixture->storage, "vgrid:" STORE ":" GRID "/node/none/disk/x", 100 * MIB);
	assert_int_equal(vg_error_kind(none), VG_ERROR_NOT_FOUND);
	_auto(vg_volumes_seen) struct vg_volumes_seen seen = {0};
	assert_null(driver->observe(fixture->storage, STORE, GRID, &seen));
	assert_int_equal(find(&seen, DATA)->size, 5 * 1024 * 1024 * MIB);
}

static void a_data_disk_grows_and_never_shrinks(void **state)
{
	(void)state;
	with_each(check_resize);
}

static void check_remove(struct fixture *fixture)
{
	make_all(fixture);
	assert_null(fixture->driver->remove(fixture->storage, DATA));
	assert_null(fixture->driver->remove(fixture->storage, DATA));
	_auto(vg_volumes_seen) struct vg_volumes_seen seen = {0};
	assert_null(fixture->driver->observe(fixture->storage, STORE, GRID, &seen));
	assert_int_equal(seen.n_items, 2);
	// Another size is no error any more.
	assert_null(create(fixture,
		(struct vg_volume){.tag = DATA, .kind = VG_VOLUME_DATA, .size = 20 * MIB}));
}

static void removing_what_is_not_there_is_success(void **state)
{
	(void)state;
	with_each(check_remove);
}

static void a_fake_fails_as_it_is_told(void **state)
{
	(void)state;
	struct fixture fixture = {0};
	set_up(&fixture, 1);
	_auto(vg_string) char *path = vg_format("%s/world.json", fixture.folder);
	static const char told[] = "{\"fail\": {\"create\": \"no space left\"}}";
	assert_null(vg_file_write(path, 0600, told, strlen(told)));
	expect_error(&fixture, (struct vg_volume){.tag = DATA, .kind = VG_VOLUME_DATA, .size = MIB},
		"no space left");
	static const char broken[] =
		"{\"volumes\": {\"here\": {\"" DATA "\": {\"tag\": \"" DATA
		"\", \"kind\": \"data\", \"size\": 1048576, \"is_broken\": true}}}}";
	assert_null(vg_file_write(path, 0600, broken, strlen(broken)));
	_auto(vg_volumes_seen) struct vg_volumes_seen seen = {0};
	assert_null(fixture.driver->observe(fixture.storage, STORE, GRID, &seen));
	assert_true(find(&seen, DATA)->is_broken);
	expect_error(&fixture, (struct vg_volume){.tag = DATA, .kind = VG_VOLUME_DATA, .size = MIB},
		"is gone");
	tear_down(&fixture);
}

static void a_filter_fails_and_loses_as_it_is_told(void **state)
{
	(void)state;
	struct fixture fixture = {0};
	assert_null(
		vg_filter_read("fault:storage.create:1,lost:storage.create:2,fault:storage.resize",
			&fixture.rules.filter));
	set_up(&fixture, VG_LENGTH(drivers) - 1);
	struct vg_volume volume = {.tag = DATA, .kind = VG_VOLUME_DATA, .size = MIB};
	expect_error(&fixture, volume, "storage.create fails");
	_auto(vg_volumes_seen) struct vg_volumes_seen none = {0}, one = {0};
	assert_null(fixture.driver->observe(fixture.storage, STORE, GRID, &none));
	assert_int_equal(none.n_items, 0);
	expect_error(&fixture, volume, "its success is lost");
	assert_null(fixture.driver->observe(fixture.storage, STORE, GRID, &one));
	assert_int_equal(one.n_items, 1);
	assert_null(create(&fixture, volume));
	_auto(vg_error) struct vg_error *error =
		fixture.driver->resize(fixture.storage, DATA, 2 * MIB);
	assert_non_null(error);
	tear_down(&fixture);
}

static void two_hosts_of_a_fake_world_have_their_own_volumes(void **state)
{
	(void)state;
	struct vg_storage *one, *two;
	assert_null(vg_storage_fake.open(
		&(struct vg_storage_target){"h1", "fake:", NULL, NULL, NULL}, &one));
	assert_null(vg_storage_fake.open(
		&(struct vg_storage_target){"h2", "fake:", NULL, NULL, NULL}, &two));
	struct vg_volume volume = {.tag = DATA, .kind = VG_VOLUME_DATA, .size = MIB};
	assert_null(vg_storage_fake.create(one, &volume));
	_auto(vg_volumes_seen) struct vg_volumes_seen of_one = {0}, of_two = {0};
	assert_null(vg_storage_fake.observe(one, STORE, GRID, &of_one));
	assert_null(vg_storage_fake.observe(two, STORE, GRID, &of_two));
	assert_int_equal(of_one.n_items, 1);
	assert_int_equal(of_two.n_items, 0);
	assert_null(vg_storage_fake.remove(one, DATA));
	vg_storage_fake.close(one);
	vg_storage_fake.close(two);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_made_is_seen_and_making_it_again_changes_nothing),
		cmocka_unit_test(a_volume_in_another_form_is_an_error_that_names_both),
		cmocka_unit_test(a_seed_of_another_version_takes_the_place_of_the_first),
		cmocka_unit_test(a_data_disk_grows_and_never_shrinks),
		cmocka_unit_test(removing_what_is_not_there_is_success),
		cmocka_unit_test(a_fake_fails_as_it_is_told),
		cmocka_unit_test(a_filter_fails_and_loses_as_it_is_told),
		cmocka_unit_test(two_hosts_of_a_fake_world_have_their_own_volumes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
