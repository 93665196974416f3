# SQLite: both journals, several writers, a killed client, a killed daemon.
. "$TEST_ROOT/tests/lib.sh"

need sqlite3

# Waits for locks.
patient() { sqlite3 -cmd '.timeout 30000' "$@"; }

database_work() {
	local mode
	for mode in delete wal truncate persist; do
		sqlite3 "$mode.db" "pragma journal_mode=$mode" >/dev/null
		sqlite3 "$mode.db" "create table t(k integer primary key, v text); create index i on t(v);"
		for i in {1..20}; do
			echo "insert into t(v) values(hex(zeroblob(200)) || $i);"
		done | sqlite3 "$mode.db"
		sqlite3 "$mode.db" "
			with recursive n(x) as (select 1 union all select x + 1 from n where x < 5000)
			insert into t(v) select 'value ' || (x * 7919 % 5000) from n;
			update t set v = v || '!' where k % 3 = 0; delete from t where k % 7 = 0;"
		sqlite3 "$mode.db" "pragma integrity_check; select count(*), sum(length(v)) from t; vacuum;
			pragma integrity_check;"
	done
}
increment() {
	for i in {1..25}; do echo 'begin immediate; update n set v = v + 1; commit;'; done | patient "$1"
}
writers_work() {
	local mode writers i
	for mode in delete wal; do
		sqlite3 "$mode.db" "pragma journal_mode=$mode; create table n(v); insert into n values(0);" >/dev/null
		for i in 1 2 3; do
			increment "$mode.db" &
			writers[i]=$!
		done
		for i in 1 2 3; do wait "${writers[i]}"; done
		sqlite3 "$mode.db" "select v from n; pragma integrity_check;"
	done
}
# Commits rows for ever and says so after each; a reader counts what was said.
insert_for_ever() {
	patient "$1" 'create table if not exists t(v)'
	while :; do
		echo 'insert into t values(hex(randomblob(500)));'
		echo "select 'row';"
	done | sqlite3 -cmd '.timeout 30000' -bail "$1"
}
said_rows() { [ "$(wc -l <"$1")" -ge 50 ]; }

mount_for_programs
on_all database_work
on_both writers_work

for mode in delete wal; do
	note "the client is killed ($mode)"
	db=$MNT/s/research_data/$mode.db
	sqlite3 "$db" "pragma journal_mode=$mode" >/dev/null
	: >said
	insert_for_ever "$db" >said 2>/dev/null &
	client=$!
	wait_for 60 said_rows said
	kill -9 "$(pgrep -P $client -x sqlite3)"
	wait $client || :
	assert_eq "$(patient "$db" 'pragma integrity_check')" ok
	[ "$(patient "$db" 'select count(*) from t')" -ge "$(wc -l <said)" ] || fail "committed rows are missing"

	note "the daemon is killed ($mode)"
	before=$(patient "$db" 'select count(*) from t')
	: >said
	insert_for_ever "$db" >said 2>/dev/null &
	client=$!
	wait_for 60 said_rows said
	kill_daemon
	wait $client || :
	remount
	assert_eq "$(patient "$db" 'pragma integrity_check')" ok
	rows=$(patient "$db" 'select count(*) from t')
	[ "$rows" -ge $((before + $(wc -l <said))) ] ||
		fail "$rows rows: $before before, $(wc -l <said) committed since"
done
umount_store
