# LMDB inside the mount.
. "$TEST_ROOT/tests/lib.sh"

need mdb_load mdb_dump mdb_stat mdb_copy

lmdb_work() {
	mkdir db copy
	{
		printf '%s\n' VERSION=3 format=print type=btree mapsize=268435456 maxreaders=126 db_pagesize=4096 \
			HEADER=END
		for i in {10000..18000}; do
			printf ' key%s\n value %s of a record that takes some room\n' "$i" $((i * i))
		done
		echo 'DATA=END'
	} >dump
	mdb_load -f dump db
	mdb_stat -ef db | grep -E 'Entries|Tree depth|Number of readers|Page size'
	mdb_dump -p db | grep -v mapsize | cksum
	mdb_copy -c db copy
	mdb_dump -p copy | grep -v mapsize | cksum
	sed 's/value/changed/' dump >dump2
	mdb_load -f dump2 db
	mdb_dump -p db | grep -c changed
	mdb_stat -a db | grep Entries
}

mount_for_programs
on_all lmdb_work
remount -o allow_other
assert_eq "$(mdb_dump -p "$MNT/s/research_data/lmdb_work/db" | grep -c changed)" 8001
umount_store
