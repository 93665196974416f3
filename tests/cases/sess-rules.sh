# What the root of a mount and the sessions in it allow.
. "$TEST_ROOT/tests/lib.sh"

mount_store
cd "$MNT"

note "a session comes with its views"
mkdir a b
assert_eq "$(ls -A a | sort | tr '\n' ' ')" "cache intermediate_results logs research_data "
assert_eq "$(ls -A)" $'a\nb'
assert_eq "$(stat -c '%F %a' a/cache)" "directory 755"
refused 'File exists' mkdir a

note "the root holds sessions only"
refused 'not permitted' touch file
refused 'not permitted' ln -s a link
refused 'not permitted' mkfifo pipe
refused 'not permitted' mkdir .hidden
refused 'not permitted' mv -T a .hidden
echo x >a/logs/f
refused 'not permitted|cross-device' ln a/logs/f f
refused 'not permitted|cross-device' python3 -c 'import os; os.rename("a/logs/f", "f")'
refused 'not permitted|cross-device' python3 -c 'import os; os.rename("a/logs", "logs")'
refused 'not permitted|cross-device' python3 -c 'import os; os.rename("b", "a/b")'
assert_file a/logs/f x
assert_eq "$(ls -A)" $'a\nb'
mkdir "$(printf '%0255d' 0)" $'odd\n\xff name'
rmdir "$(printf '%0255d' 0)" $'odd\n\xff name'
refused 'too long' mkdir "$(printf '%0256d' 0)"

note "sessions are worlds of their own"
refused 'cross-device' ln a/logs/f b/logs/f
refused 'cross-device' python3 -c 'import os; os.rename("a/logs/f", "b/logs/f")'
refused 'cross-device' python3 -c 'import os; os.rename("a/logs", "b/other")'
mv a/logs/f b/logs/f
assert_file b/logs/f x
assert_absent a/logs/f

note "inside a session everything goes, between views too"
mv b/logs/f b/cache/g
ln b/cache/g b/research_data/h
mv b/cache b/renamed
mkdir b/cache
mv b/renamed/g b/cache
rmdir b/renamed b/logs
mkdir b/logs
check_counts b
assert_eq "$(stat -c %h b/cache/g)" 2

note "rename of a session"
mv -T a c
assert_absent a
check_counts c
assert_eq "$(json c/.session/info.json 'j["session_id"]')" c
refused 'not empty|exists' python3 -c 'import os; os.rename("c", "b")'

note "rmdir wants empty views"
refused 'not empty' rmdir b
rm b/cache/g b/research_data/h
mkdir b/cache/d
refused 'not empty' rmdir b
rmdir b/cache/d
touch b/top
refused 'not empty' rmdir b
rm b/top
rmdir b
rmdir c/cache c/logs c/research_data c/intermediate_results
rmdir c
assert_eq "$(ls -A)" ""

note "rm -rf takes all, silently"
mkdir d
mkdir -p d/cache/x/y/z d/extra
touch d/cache/x/{1..50} d/extra/f
assert_eq "$(rm -rf d 2>&1)" ""
mkdir e
touch e/logs/{1..20}
python3 -c 'import shutil; shutil.rmtree("e")'
assert_eq "$(ls -A)" ""
cd "$TEST_DIR"
umount_store
