/*
 * plug.c - keeps the flusher of a store from getting on: warm has one writer, and that is this program until its input
 * ends.
 *
 * usage: plug STORE
 *
 * Answers with "plugged" when it has begun.
 */
#include <lmdb.h>
#include <stdio.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	MDB_env *env;
	MDB_txn *txn;
	char byte;
	int r = argc == 2 ? mdb_env_create(&env) : MDB_INVALID;
	r = r ? r : mdb_env_set_mapsize(env, (size_t)1 << 30);
	r = r ? r : mdb_env_open(env, argv[1], 0, 0600);
	r = r ? r : mdb_txn_begin(env, NULL, 0, &txn);
	if (r) {
		fprintf(stderr, "plug: %s\n", mdb_strerror(r));
		return 2;
	}
	puts("plugged");
	fflush(stdout);
	while (read(0, &byte, 1) > 0)
		;
	mdb_txn_abort(txn);
	mdb_env_close(env);
	return 0;
}
