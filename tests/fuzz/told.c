/* told.c - a document of the control files, as the command line reads it: a row of a table and JSON come out. */
#include "mount/listing.h"
#include "mount/moment.h"
#include "mount/table.h"

#include "tests/fuzz/fuzz.h"

static void list(const json_t *object)
{
	struct told told;
	struct table *table = listing_new();
	json_t *shown;

	told_one(object, &told);
	shown = listing_object(&told);
	touch(told.name, strlen(told.name));
	touch(told.rule, strlen(told.rule));
	listing_add(table, &told, moment_now());
	table_free(table);
	if (!json_is_object(shown))
		abort();
	json_decref(shown);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	json_t *document = json_loadb((const char *)data, size, JSON_REJECT_DUPLICATES | JSON_DECODE_ANY, NULL);
	const json_t *array, *item;
	const char *key;
	size_t i;

	list(document);
	json_object_foreach(document, key, array)
		json_array_foreach(array, i, item)
			list(item);
	json_decref(document);
	return 0;
}
